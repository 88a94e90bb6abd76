"""Probabilities at another size."""

import numpy as np
from PIL import Image


def resize_planes(planes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resize float32 (C, h, w) to `size_hw`, bilinear, averaging where it shrinks."""
    if planes.shape[1:] == size_hw:
        return planes
    size = (size_hw[1], size_hw[0])
    images = (Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR) for plane in planes)
    return np.stack([np.asarray(image) for image in images])
