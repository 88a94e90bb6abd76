"""From an engine's scores to labels, in a fraction of the time the engine would take.

A network's last steps, a bilinear upsampling of the logits and the largest of them, cost an engine
more than many of its layers, since it writes every class at every pixel. Here neither is written.
The labels are torch's: those of `interpolate(scores, size, mode="bilinear")` and `argmax(1)` on
contiguous float32 scores, ties and NaN included, the same on every machine.
"""

import numpy as np

from swiftseg.kernels import native
from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.upsample_argmax_numpy import label_image

MAX_CLASSES = 65_536


def upsample_argmax(
    scores: np.ndarray,
    size_hw: tuple[int, int],
    *,
    align_corners: bool = False,
    threads: int = 1,
) -> np.ndarray:
    """Find the class of the largest bilinearly interpolated score at every pixel.

    Args:
        scores: float32 (N, C, h, w); the memory may be in any order, such as channels last.
        size_hw: Height and width of the labels, of any ratio to those of the scores.
        align_corners: Whether the centers of the corner pixels meet, else their outer edges.
        threads: At most; more than one start only where there is work for them.

    Returns:
        uint8 (N, *size_hw), uint16 for more than 256 classes; the first class among equals.

    Raises:
        TypeError: The scores are not float32.
        ValueError: The scores are not (N, C, h, w), a size is zero, or there are too many classes.
    """
    _check(scores, size_hw)
    height, width = scores.shape[2:]
    axes = (
        bilinear_axis(height, size_hw[0], align_corners=align_corners),
        bilinear_axis(width, size_hw[1], align_corners=align_corners),
    )
    labels = _empty_labels(scores, size_hw)
    if native.is_available():
        native.label(scores, labels, axes, threads=threads)
    else:
        for image, own_labels in zip(scores, labels, strict=True):
            label_image(image, axes, own_labels)
    return labels


def argmax(scores: np.ndarray, *, threads: int = 1) -> np.ndarray:
    """Find the class of the largest score at every pixel; see `upsample_argmax`."""
    _check(scores, scores.shape[2:])
    labels = _empty_labels(scores, scores.shape[2:])
    if native.is_available():
        native.label(scores, labels, None, threads=threads)
    else:
        labels[:] = scores.argmax(axis=1)
    return labels


def _empty_labels(scores: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    dtype = np.uint8 if scores.shape[1] <= 256 else np.uint16
    return np.empty((len(scores), *size_hw), dtype=dtype)


def _check(scores: np.ndarray, size_hw: tuple[int, ...]) -> None:
    if scores.dtype != np.float32:
        raise TypeError(f"expected float32 scores, got {scores.dtype}")
    if scores.ndim != 4 or 0 in scores.shape[1:]:
        raise ValueError(f"expected scores of shape (N, C, h, w), got {scores.shape}")
    if min(size_hw) < 1:
        raise ValueError(f"expected a size of 1x1 at least, got {size_hw}")
    if scores.shape[1] > MAX_CLASSES:
        raise ValueError(f"expected {MAX_CLASSES} classes at most, got {scores.shape[1]}")
