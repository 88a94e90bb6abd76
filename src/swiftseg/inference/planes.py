"""Probabilities at another size."""

import numpy as np
from PIL import Image


def resize_planes(planes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resize float32 (C, h, w) to `size_hw`, bilinear, averaging where it shrinks."""
    if planes.shape[1:] == size_hw:
        return planes
    size = (size_hw[1], size_hw[0])
    resized = np.empty((len(planes), *size_hw), dtype=np.float32)  # a list would take it all twice
    for plane, place in zip(planes, resized, strict=True):
        place[:] = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
    return resized
