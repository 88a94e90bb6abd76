"""Probabilities at another size."""

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_PROBABILITIES


def resize_planes(planes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resize float32 (C, h, w) to `size_hw`, bilinear, averaging where it shrinks."""
    if planes.shape[1:] == size_hw:
        return planes
    size = (size_hw[1], size_hw[0])
    resized = np.empty((len(planes), *size_hw), dtype=np.float32)  # a list would take it all twice
    for plane, place in zip(planes, resized, strict=True):
        place[:] = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
    return resized


def check_probabilities(num_classes: int, size_hw: tuple[int, int]) -> None:
    """Raise SwiftsegError where the probabilities of an image would take more than a gigabyte."""
    if num_classes * size_hw[0] * size_hw[1] > MAX_PROBABILITIES:
        raise SwiftsegError(
            f"the probabilities of {num_classes} classes at {size_hw[0]}x{size_hw[1]} pixels are "
            f"more than {MAX_PROBABILITIES // 10**6} million values; make the image smaller, or "
            "leave probabilities out"
        )
