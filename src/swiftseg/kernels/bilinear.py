"""Where a bilinear interpolation reads along an axis, and how it weighs: torch's rules, bit by bit.

All of it is float32 arithmetic in torch's own order, so that labels come out as torch's do.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Axis:
    """Output element i is `weights[0][i] * x[reads[0][i]] + weights[1][i] * x[reads[1][i]]`.

    Attributes:
        reads: Two arrays int32 (size,); the first never decreases, the second is at most one more.
        weights: Two arrays float32 (size,), in 0..1.
    """

    reads: tuple[np.ndarray, np.ndarray]
    weights: tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=32)  # frames of a video all ask for the same two
def bilinear_axis(in_size: int, out_size: int, *, align_corners: bool) -> Axis:
    """Work out one axis of a bilinear interpolation; sizes in elements, 1 at least."""
    index = np.arange(out_size, dtype=np.int64)
    if in_size == out_size:  # torch copies: a NaN beside an element does not reach it
        first, beyond = index, np.zeros(out_size, dtype=np.float32)
        second = first
    else:
        source = _source(in_size, out_size, index, align_corners=align_corners)
        first = np.minimum(source.astype(np.int64), in_size - 1)
        second = np.minimum(first + 1, in_size - 1)
        beyond = np.clip(source - first.astype(np.float32), 0, 1)
    arrays = first.astype(np.int32), second.astype(np.int32), np.float32(1) - beyond, beyond
    for array in arrays:
        array.setflags(write=False)
    return Axis(arrays[:2], arrays[2:])


def _source(in_size: int, out_size: int, index: np.ndarray, *, align_corners: bool) -> np.ndarray:
    """Return the real-valued source positions, float32 (out_size,), zero at least."""
    if align_corners:
        scale = np.float32(in_size - 1) / np.float32(out_size - 1) if out_size > 1 else 0
        return np.float32(scale) * index.astype(np.float32)
    scale = np.float32(in_size) / np.float32(out_size)
    centers = index.astype(np.float32) + np.float32(0.5)
    return np.maximum(scale * centers - np.float32(0.5), 0)
