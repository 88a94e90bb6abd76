"""Scores interpolated to the labels' size, for whoever needs more than the largest of them."""

import numpy as np

from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.upsample_argmax_numpy import fused_multiply_add


def upsample(
    scores: np.ndarray, size_hw: tuple[int, int], *, align_corners: bool = False
) -> np.ndarray:
    """Interpolate bilinearly by the arithmetic that `upsample_argmax` finds the largest score by.

    Args:
        scores: float32 (N, C, h, w).
        size_hw: Height and width of the result.
        align_corners: Whether the centers of the corner pixels meet, else their outer edges.

    Returns:
        float32 (N, C, *size_hw), whose argmax over the classes is what `upsample_argmax` returns.
    """
    rows, columns = (
        bilinear_axis(before, after, align_corners=align_corners)
        for before, after in zip(scores.shape[2:], size_hw, strict=True)
    )
    upsampled = np.empty((*scores.shape[:2], *size_hw), dtype=np.float32)
    for image, result in zip(scores, upsampled, strict=True):
        for plane, out in zip(image, result, strict=True):  # what is computed between stays small
            along = _blend(plane[:, columns.reads[0]], plane[:, columns.reads[1]], *columns.weights)
            upper, lower = (weights[:, None] for weights in rows.weights)
            out[:] = _blend(along[rows.reads[0]], along[rows.reads[1]], upper, lower)
    return upsampled


def _blend(first: np.ndarray, second: np.ndarray, weight: np.ndarray, rest: np.ndarray):
    return fused_multiply_add(first, weight, second * rest)
