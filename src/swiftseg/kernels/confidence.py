"""How probable the class that wins is, and at which pixels it is less probable than asked.

The logarithm of a class's probability is a concave function of the scores, and interpolated scores
lie between those that they are interpolated from. So a class that is probable enough at all four
corners of a cell is so everywhere in it; the pixels of the other cells alone are computed.
"""

import numpy as np

from swiftseg.kernels.bilinear import Axis, bilinear_axis

_ROUNDING = 1e-4  # probabilities of corners must be larger by this for their cell to be left out

_PIXELS = 8192  # computed at once, so that what lies between stays in the cache


def confidence(probs: np.ndarray, temperature: float) -> np.ndarray:
    """Return the calibrated probability of the class that wins, float32 (H, W).

    Args:
        probs: float32 (C, H, W), the softmax of logits.
        temperature: What the logits are divided by; 1 leaves them as they are.
    """
    if temperature == 1:
        return probs.max(axis=0)
    # The softmax of divided logits, from the softmax: exp(z / T) is a power of exp(z).
    powers = probs ** np.float32(1 / temperature)
    return powers.max(axis=0) / powers.sum(axis=0)


def unsure_pixels(
    logits: np.ndarray,
    size_hw: tuple[int, int],
    below: float,
    temperature: float,
    *,
    align_corners: bool | None,
) -> np.ndarray:
    """Find the pixels whose class is less probable than asked, bool (N, *size_hw).

    Args:
        logits: float32 (N, C, h, w), interpolated bilinearly as `upsample` does.
        size_hw: Height and width of the result.
        below: The probability.
        temperature: What the logits are divided by.
        align_corners: How they are interpolated; None where (h, w) is `size_hw`.
    """
    divided = logits * np.float32(1 / temperature)
    if align_corners is None:
        return np.stack([below * _inverse(image) > 1 for image in divided])
    rows, columns = (
        bilinear_axis(before, after, align_corners=align_corners)
        for before, after in zip(logits.shape[2:], size_hw, strict=True)
    )
    return np.stack([_interpolated(image, rows, columns, below) for image in divided])


def _inverse(logits: np.ndarray) -> np.ndarray:
    """Return one over the largest probability, for float32 (C, ...); 1 at least."""
    return np.exp(logits - logits.max(axis=0)).sum(axis=0)


def _interpolated(image: np.ndarray, rows: Axis, columns: Axis, below: float) -> np.ndarray:
    """Find the unsure pixels of interpolated logits float32 (C, h, w)."""
    width = len(columns.reads[0])
    unsure = _in_doubt(image, rows, columns, below)
    pixels = np.flatnonzero(unsure)
    first, second = (image[:, :, reads] for reads in columns.reads)
    along = first * columns.weights[0] + second * columns.weights[1]
    along = along.reshape(len(image), -1)  # (C, h * W)
    for start in range(0, len(pixels), _PIXELS):
        some = pixels[start : start + _PIXELS]
        row, column = np.divmod(some, width)
        upper, lower = (
            along.take(reads[row] * width + column, axis=1) * weights[row]
            for reads, weights in zip(rows.reads, rows.weights, strict=True)
        )
        unsure.ravel()[some] = below * _inverse(upper + lower) > 1
    return unsure


def _in_doubt(image: np.ndarray, rows: Axis, columns: Axis, below: float) -> np.ndarray:
    """Find the pixels between corners that are not all sure of one class, bool (H, W)."""
    sure_class = np.where(_inverse(image) * (below + _ROUNDING) <= 1, image.argmax(axis=0), -1)
    left, right = (sure_class[:, reads] for reads in columns.reads)
    both = np.where(left == right, left, -1)
    upper, lower = (both[reads] for reads in rows.reads)
    return (upper != lower) | (upper < 0)
