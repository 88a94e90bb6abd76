"""A frame larger than the network's input, gone over in overlapping windows."""

from collections.abc import Callable
from itertools import product
from math import ceil

import numpy as np


def window_starts(length: int, window: int) -> list[int]:
    """Places windows along one side: two thirds of a window apart, the last one at the end.

    Args:
        length: Of the side in pixels, at least `window`.
        window: Length of a window in pixels.
    """
    stride = ceil(2 * window / 3)  # ShelfNet's release, and the works it follows
    return [*range(0, length - window, stride), length - window]


def sliding_probabilities(
    probabilities: Callable[[np.ndarray], np.ndarray],
    frame: np.ndarray,
    num_classes: int,
    window_hw: tuple[int, int],
    padding: np.ndarray,
) -> np.ndarray:
    """Averages the class probabilities of overlapping windows, pixel by pixel.

    Args:
        probabilities: Maps a window uint8 (*window_hw, 3) to float32 (C, *window_hw).
        frame: uint8 (H, W, 3); where it is smaller than a window it is padded below and right.
        num_classes: C.
        window_hw: Size of the windows.
        padding: uint8 (3,), the color of the padding.

    Returns:
        float32 (C, H, W).
    """
    size_hw = frame.shape[:2]
    frame = _padded(frame, window_hw, padding)
    height, width = window_hw
    tops = window_starts(frame.shape[0], height)
    lefts = window_starts(frame.shape[1], width)
    total = np.zeros((num_classes, *frame.shape[:2]), dtype=np.float32)
    times = np.zeros(frame.shape[:2], dtype=np.float32)
    for top, left in product(tops, lefts):
        area = (slice(top, top + height), slice(left, left + width))
        total[:, *area] += probabilities(np.ascontiguousarray(frame[area]))
        times[area] += 1
    return (total / times)[:, : size_hw[0], : size_hw[1]]


def _padded(frame: np.ndarray, window_hw: tuple[int, int], padding: np.ndarray) -> np.ndarray:
    height, width = np.maximum(frame.shape[:2], window_hw)
    if (height, width) == frame.shape[:2]:
        return frame
    padded = np.empty((height, width, 3), dtype=np.uint8)
    padded[:] = padding
    padded[: frame.shape[0], : frame.shape[1]] = frame
    return padded
