"""Pictures of any bands: resized, and made visible."""

import numpy as np
from PIL import Image

_SHOWN = (2.0, 98.0)  # percentiles of a band's values that become black and white


def resize_bands(frame: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Resize (H, W, bands) to `size_hw`, bilinear, averaging where it shrinks; the type stays."""
    size_wh = size_hw[1], size_hw[0]
    resized = np.empty((*size_hw, frame.shape[2]), dtype=frame.dtype)
    for band in range(frame.shape[2]):
        plane = Image.fromarray(frame[..., band].astype(np.float32))
        values = np.asarray(plane.resize(size_wh, Image.Resampling.BILINEAR))
        resized[..., band] = values if frame.dtype.kind == "f" else np.rint(values)
    return resized


def viewable(image: np.ndarray) -> np.ndarray:
    """Return a picture of any bands as uint8 (H, W, 3) RGB, to be looked at.

    Its first three bands are shown, or one as gray, each from its 2nd percentile, black, to its
    98th, white. What is 8-bit RGB is returned as it is.
    """
    if image.dtype == np.uint8 and image.shape[2] == 3:
        return image
    shown = image[..., :3] if image.shape[2] >= 3 else image[..., :1].repeat(3, axis=2)
    if image.dtype == np.uint8:
        return np.ascontiguousarray(shown)
    sampled = shown[:: max(1, shown.shape[0] // 512), :: max(1, shown.shape[1] // 512)]
    lowest, highest = np.percentile(sampled.astype(np.float32), _SHOWN, axis=(0, 1))
    spread = np.maximum(highest - lowest, 1e-6)
    gray = np.empty(shown.shape, np.uint8)
    for row, values in zip(gray, shown, strict=True):  # all at once would take eight times as much
        row[:] = 255 * np.clip((values - lowest) / spread, 0, 1)
    return gray
