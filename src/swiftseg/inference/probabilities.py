"""Class probabilities out of an engine, at any size."""

import numpy as np
from PIL import Image

from swiftseg.runtimes import Backend


def backend_probabilities(backend: Backend, batch: np.ndarray) -> np.ndarray:
    """Runs one frame uint8 (1, H, W, 3); gives its class probabilities float32 (C, H, W).

    Raises:
        SwiftsegError: The model's file holds no logits.
    """
    if backend.spec.output == "probs":
        return backend.run(batch)[0]
    return softmax(backend.run_logits(batch)[0])


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turns logits (C, H, W) into probabilities."""
    powers = np.exp(logits - logits.max(axis=0))  # the largest becomes 0, so nothing overflows
    return powers / powers.sum(axis=0)


def resize_planes(planes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resizes float32 (C, h, w) to `size_hw`, bilinear, averaging where it shrinks."""
    if planes.shape[1:] == size_hw:
        return planes
    size = (size_hw[1], size_hw[0])
    images = (Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR) for plane in planes)
    return np.stack([np.asarray(image) for image in images])
