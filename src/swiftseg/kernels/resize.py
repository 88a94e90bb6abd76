"""Frames and labels at another size."""

import numpy as np
from PIL import Image

from swiftseg.kernels import native
from swiftseg.kernels.bands import resize_bands
from swiftseg.kernels.taps import bilinear_taps


def resize_frame(frame: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resize uint8 (H, W, 3) to `size_hw`, bilinear, averaging where it shrinks.

    Pictures of other bands (H, W, bands) keep their type. uint8 RGB becomes what
    Pillow's `resize` gives with `BILINEAR`, byte for byte, and in a fraction of its time where the
    package has its kernels. It goes along the rows first and then along the columns; Pillow 13 does
    not where the height shrinks more, which rounds some bytes the other way.
    """
    if frame.shape[:2] == size_hw:
        return frame
    if frame.dtype != np.uint8 or frame.shape[2] != 3:
        return resize_bands(frame, size_hw)
    if not native.is_available():
        return _resize_by_pillow(frame, size_hw)
    resized = np.empty((*size_hw, 3), dtype=np.uint8)
    rows, columns = (
        bilinear_taps(before, after) for before, after in zip(frame.shape, size_hw, strict=False)
    )
    native.resize(np.ascontiguousarray(frame), resized, (rows, columns))
    return resized


def resize_labels(labels: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    """Resize a mask or a label map uint8 (h, w) to `size_hw`, by nearest neighbor."""
    if labels.shape == size_hw:
        return labels
    height, width = size_hw
    return np.array(Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST))


def _resize_by_pillow(frame: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    height, width = size_hw
    image = Image.fromarray(frame)
    # One axis at a time, since the order of the two is Pillow's to choose.
    image = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
