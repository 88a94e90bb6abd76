"""COCO's run lengths of a bitmap, and the text that packs them (pycocotools, common/maskApi.c)."""

from typing import Any

import numpy as np

_FIRST_CODE = 48  # "0"; each character holds five bits and whether more follow


def run_lengths(bitmap: np.ndarray) -> dict[str, Any]:
    """Return the run lengths of a bitmap, bool (H, W), by column, as pycocotools writes them."""
    return {"size": list(bitmap.shape), "counts": text_from_counts(counts_from_bitmap(bitmap))}


def bounding_box(bitmap: np.ndarray) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what is true in a bitmap, bool (H, W)."""
    rows, columns = np.flatnonzero(bitmap.any(axis=1)), np.flatnonzero(bitmap.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def counts_from_bitmap(bitmap: np.ndarray) -> list[int]:
    """Return COCO's run lengths of a bitmap, bool (H, W)."""
    pixels = np.asarray(bitmap, bool).ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = np.concatenate([[0], changes, [pixels.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if pixels.size and pixels[0] else lengths


def text_from_counts(counts: list[int]) -> str:
    """Return COCO's compressed text of run lengths."""
    characters: list[str] = []
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        while True:
            code, value = value & 31, value >> 5
            is_done = value == (-1 if code & 16 else 0)
            characters.append(chr((code if is_done else code | 32) + _FIRST_CODE))
            if is_done:
                break
    return "".join(characters)
