"""A frame larger than the network's input, gone over in overlapping windows."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np

from swiftseg.data.images.windows import Pixels

Size = tuple[int, int]


class Tiling(NamedTuple):
    """How a picture is cut into tiles.

    Attributes:
        size_hw: Of a tile, which is stretched to the network's size; None takes that.
        overlap: Pixels that neighbors share at least; None takes a third of a tile.
    """

    size_hw: tuple[int, int] | None = None
    overlap: int | None = None


USUAL_TILES = Tiling()


def window_starts(length: int, window: int, overlap: int | None = None) -> list[int]:
    """Place windows along one side, the last one at the end; an overlap of None is a third."""
    # Two thirds of a window apart, as in ShelfNet's release and the works it follows.
    stride = ceil(2 * window / 3) if overlap is None else window - overlap
    return [*range(0, length - window, stride), length - window]


def count_windows(frame_hw: Size, window_hw: Size, overlap: int | None = None) -> int:
    """Return how many windows `probability_bands` goes over."""
    counts = [
        len(window_starts(max(own, window), window, overlap))
        for own, window in zip(frame_hw, window_hw, strict=True)
    ]
    return counts[0] * counts[1]


def probability_bands(
    probabilities: Callable[[np.ndarray], np.ndarray],
    frame: Pixels,
    window_hw: Size,
    padding: np.ndarray,
    *,
    overlap: int | None = None,
) -> Iterator[np.ndarray]:
    """Average the class probabilities of overlapping windows, and yield band after band of rows.

    Only one row of windows is held in memory, however high the frame is; a frame that is read by
    windows is never in memory as a whole.

    Args:
        probabilities: Maps a window (*window_hw, bands) to float32 (C, *window_hw).
        frame: (H, W, bands), or what reads it by windows; where it is smaller than a window it is
            padded below and right.
        window_hw: Size of the windows.
        padding: (bands,), the color of the padding.
        overlap: See `window_starts`.

    Yields:
        float32 (C, rows, W), from top to bottom; their rows add up to H.
    """
    frame_h, frame_w = frame.shape[:2]
    height, width = window_hw
    padded_hw = max(frame_h, height), max(frame_w, width)
    tops = window_starts(padded_hw[0], height, overlap)
    lefts = window_starts(padded_hw[1], width, overlap)
    total: np.ndarray | None = None
    times = np.zeros((height, padded_hw[1]), dtype=np.float32)
    for top, next_top in pairwise([*tops, padded_hw[0]]):
        for left in lefts:
            window = _window(frame, (top, left), window_hw, padding)
            probs = probabilities(window)
            if total is None:
                total = np.zeros((len(probs), *times.shape), dtype=np.float32)
            total[..., left : left + width] += probs
            times[:, left : left + width] += 1
        assert total is not None
        done = next_top - top  # rows that no later window touches
        yield (total[:, :done] / times[:done])[:, : max(0, frame_h - top), :frame_w]
        for sums in (*total, times):
            sums[: height - done] = sums[done:].copy()
            sums[height - done :] = 0


def sliding_probabilities(
    probabilities: Callable[[np.ndarray], np.ndarray],
    frame: Pixels,
    window_hw: Size,
    padding: np.ndarray,
) -> np.ndarray:
    """Return what `probability_bands` yields as one array, float32 (C, H, W)."""
    return np.concatenate(list(probability_bands(probabilities, frame, window_hw, padding)), axis=1)


def _window(frame: Pixels, at: Size, size_hw: Size, padding: np.ndarray) -> np.ndarray:
    """Cut a window out of a frame, padded below and right."""
    part = frame[at[0] : at[0] + size_hw[0], at[1] : at[1] + size_hw[1]]
    if part.shape[:2] == size_hw:
        return np.ascontiguousarray(part)
    window = np.empty((*size_hw, frame.shape[2]), dtype=frame.dtype)
    window[:] = padding
    window[: part.shape[0], : part.shape[1]] = part
    return window
