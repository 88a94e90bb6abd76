"""An image in any of the forms in which people hand one over."""

import os

import numpy as np
from PIL import Image

from swiftseg.core import InputSpec, SwiftsegError
from swiftseg.core.spec import described_bands
from swiftseg.data.images.band_file import read_picture
from swiftseg.data.images.header import orientation_of
from swiftseg.data.images.image_file import decode_image, read_image, rgb_array, upright
from swiftseg.data.images.web_picture import fetch_picture, is_web_address

Frame = os.PathLike[str] | str | bytes | Image.Image | np.ndarray


def as_frame(image: Frame, spec: InputSpec, *, bgr: bool = False) -> np.ndarray:
    """Read or check an image; return uint8 (H, W, 3) RGB, or the bands of a model.

    Takes and raises as `Segmenter` does.
    """
    if not spec.is_rgb:
        return _bands_of(image, spec)
    if isinstance(image, np.ndarray):
        return _rgb_of(image, bgr=bgr)
    if isinstance(image, Image.Image):
        return upright(rgb_array(image), orientation_of(image))
    if isinstance(image, bytes):
        return decode_image(image)
    path = os.fspath(image)
    if is_web_address(path):
        return decode_image(fetch_picture(path), path)
    return read_image(path)


def _bands_of(image: Frame, spec: InputSpec) -> np.ndarray:
    """Return the bands (H, W, bands) that a model takes, and never others."""
    if isinstance(image, Image.Image | bytes):
        raise TypeError(f"expected a file or an array, as the model takes {spec.described}")
    if not isinstance(image, np.ndarray):
        path = os.fspath(image)
        frame = read_picture(path)
        got = described_bands(frame.shape[2], frame.dtype.name)
        if got != spec.described:
            raise SwiftsegError(f"{path}: {got} where the model takes {spec.described}")
        return frame
    if image.ndim == 2 and spec.bands == 1:
        image = image[..., None]
    if image.dtype != spec.dtype:
        raise TypeError(f"expected an image of {spec.described}, got {image.dtype}")
    if image.ndim != 3 or image.shape[2] != spec.bands or image.size == 0:
        raise ValueError(f"expected an image of shape (H, W, {spec.bands}), got {image.shape}")
    return image


def _rgb_of(image: np.ndarray, *, bgr: bool) -> np.ndarray:
    """Return an array uint8 (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as RGB (H, W, 3)."""
    if image.dtype != np.uint8:
        raise TypeError(f"expected a uint8 image with values of 0 to 255, got {image.dtype}")
    channels = 1 if image.ndim == 2 else image.shape[2] if image.ndim == 3 else 0
    if channels not in (1, 3, 4) or image.size == 0:
        raise ValueError(
            "expected an image of shape (H, W, 3), or gray (H, W), or with alpha (H, W, 4), got "
            f"{image.shape}"
        )
    if channels == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    if channels == 4 or bgr:
        return np.ascontiguousarray(image[..., 2::-1] if bgr else image[..., :3])
    return image
