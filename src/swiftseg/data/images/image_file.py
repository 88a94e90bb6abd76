"""Reading image files: frames as RGB, masks as class indices, anything else refused in one line.

What `read_image` makes of the kinds of file there are:

- grayscale, 1-bit, palette, CMYK and YCbCr images become RGB;
- transparency is dropped, the stored colors stay: a camera knows none, and any background put
  beneath would be invented;
- the EXIF orientation is applied, as every viewer does;
- of an animation the first frame is read;
- grayscale of more than 8 bits is stretched: the picture's darkest value becomes black and its
  brightest one white, whatever bits a camera fills. (Pillow itself reads 16-bit color PNGs as their
  upper 8 bits.) Floating point values are refused.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_PIXELS
from swiftseg.core.memory_limit import PIXEL_BYTES, check_limit
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, plane_of, read_array
from swiftseg.data.images.fast_jpeg import decode_jpeg
from swiftseg.data.images.header import (
    FORMATS,
    GRAY_KINDS,
    BandsError,
    NotAnImageError,
    has_more_bands,
    opened,
    orientation_of,
)

_COLOR_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
# What puts each orientation upright; 1, or any other value, is upright already.
_UPRIGHT: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}


def read_image(path: Path | str) -> np.ndarray:
    """Read an image file as uint8 (H, W, 3) RGB, upright.

    Raises:
        SwiftsegError: The file is missing, empty, truncated, no image, larger than `MAX_PIXELS`,
            or has floating point values.
    """
    path = Path(path)
    with opened(path) as image:
        return _upright_rgb(image, path, str(path))


def read_8_bits(path: Path) -> np.ndarray:
    """Read an image as `read_image` does, but for those of more than 8 bits.

    Raises:
        BandsError: The picture is gray of more than 8 bits, or what `read_image` refuses as such.
        SwiftsegError: As `read_image`.
    """
    with opened(path) as image:
        if image.mode in GRAY_KINDS:
            raise BandsError(f"{path}: more than 8 bits per channel")
        return _upright_rgb(image, path, str(path))


def decode_image(
    data: bytes,
    name: str = "the picture",
    *,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = FORMATS,
) -> np.ndarray:
    """Decode an image file held in memory to uint8 (H, W, 3) RGB, upright.

    The number of pixels is read from the header and checked before anything is decoded.

    Args:
        data: The file's bytes.
        name: What an error calls it.
        max_pixels: The most that are decoded.
        formats: Names of Pillow's readers; no other is tried.

    Raises:
        NotAnImageError: The bytes are in none of the formats.
        ImageTooLargeError: There are more pixels than `max_pixels`.
        SwiftsegError: The file is truncated, damaged, or has floating point values.
    """
    if not data:
        raise NotAnImageError(f"{name} is empty (0 bytes)")
    with opened(name, io.BytesIO(data), max_pixels=max_pixels, formats=formats) as image:
        check_limit(name, (image.height, image.width), PIXEL_BYTES * image.height * image.width)
        return _upright_rgb(image, data, name)


def _upright_rgb(image: Image.Image, source: Path | bytes, name: str) -> np.ndarray:
    pixels = decode_jpeg(source, image)
    if pixels is None:
        pixels = rgb_array(image, name)
    return upright(pixels, orientation_of(image))


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn or mirror (H, W) or (H, W, 3) pixels as an EXIF orientation says."""
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def rgb_array(image: Image.Image, name: str = "the image") -> np.ndarray:
    """Convert a Pillow image as it stands to uint8 (H, W, 3) RGB.

    Raises:
        SwiftsegError: It has floating point values.
    """
    if image.mode.startswith("I"):
        return np.stack(3 * [_stretched(np.array(image))], axis=-1)
    if image.mode not in _COLOR_MODES:
        raise BandsError(
            f"{name}: expected 8 bits per channel, got {_described(image.mode)}; "
            "convert it to 8 bits first"
        )
    if has_more_bands(image):
        raise BandsError(f"{name}: expected 8-bit RGB, got a TIFF image of more bands")
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))  # which would copy


def _stretched(values: np.ndarray) -> np.ndarray:
    """Bring whole numbers (H, W) of more than 8 bits to uint8, from the lowest to the highest."""
    low, high = float(values.min()), float(values.max())
    scale = 255 / (high - low) if high > low else 0.0
    stretched = np.empty(values.shape, np.uint8)
    for row, own in zip(stretched, values, strict=True):  # all at once would take 24 bytes a pixel
        row[:] = np.rint((own - low) * scale)
    return stretched


def read_mask(path: Path | str) -> np.ndarray:
    """Read an index mask as uint8 (H, W): a palette's indices, or gray values as they stand.

    A 16-bit file passes when each of its values fits 8 bits. The EXIF orientation is left alone.

    Raises:
        SwiftsegError: As `read_values`, or a value is above 255.
    """
    values = read_values(path)
    if values.dtype != np.uint8:
        raise SwiftsegError(
            f"{path}: expected class indices of 0 to 255, got a 16-bit mask with values "
            f"from {values.min()} to {values.max()}"
        )
    return values


def read_values(path: Path | str) -> np.ndarray:
    """Read one whole number a pixel: uint8 (H, W), or int64 where a value does not fit.

    The EXIF orientation is left alone. Images of floating point pass when they hold whole numbers.

    Raises:
        SwiftsegError: The file is missing, empty, truncated, no image or array, larger than
            `MAX_PIXELS`, has color or transparency channels, or fractions for values.
    """
    path = Path(path)
    if path.suffix.lower() in ARRAY_SUFFIXES:
        values = read_array(path)
        if values.ndim != 2:
            raise _no_index_mask(path, "an array of colors")
        return whole_values(values, path)
    try:
        values = _pillow_values(path)
    except BandsError:
        values = _plane_of_bands(path)
    return values if values.dtype == np.uint8 else whole_values(values, path)


def _pillow_values(path: Path) -> np.ndarray:
    with opened(path) as image:
        if has_more_bands(image):
            raise BandsError(f"{path}: more bands than RGB")
        image.load()
        if image.mode in ("1", "L", "P"):
            return np.array(image, dtype=np.uint8)
        if not image.mode.startswith(("I", "F")):
            raise _no_index_mask(path, _described(image.mode))
        return np.array(image)


def _plane_of_bands(path: Path) -> np.ndarray:
    """Read the class of each pixel from a TIFF of one band a class."""
    from swiftseg.data.images.band_file import read_bands

    bands = read_bands(path)
    plane = plane_of(bands)
    if plane is None or plane.ndim != 2:
        raise _no_index_mask(path, f"a TIFF of {bands.shape[2]} bands that are not one-hot")
    return plane


def whole_values(values: np.ndarray, path: Path) -> np.ndarray:
    """Return numbers as uint8 where they fit, else as int64; fractions raise SwiftsegError.

    NaN or one negative number stands for no class, as torch's -100 and the -9999 of maps, and
    becomes 255, as in a file of 8 bits.
    """
    if values.dtype.kind == "f":
        is_number = ~np.isnan(values)
        whole = np.where(is_number, np.rint(values), 255)
        if not np.array_equal(whole[is_number], values[is_number]):
            raise SwiftsegError(f"{path}: expected whole numbers as class indices, got fractions")
        values = whole
    lowest, highest = values.min(initial=0), values.max(initial=0)
    if lowest < 0 and highest <= 255 and values[values < 0].max() == lowest:
        values = np.where(values < 0, 255, values)
        lowest, highest = values.min(), 255
    return np.ascontiguousarray(values, np.uint8 if lowest >= 0 and highest <= 255 else np.int64)


def _no_index_mask(path: Path, got: str) -> SwiftsegError:
    return SwiftsegError(
        f"{path}: expected an index mask, got {got}; "
        "save it with one channel that holds the class index"
    )


def read_first_channel(path: Path | str) -> np.ndarray:
    """Read the first channel of a 16-bit color PNG as uint8 (H, W), where SYNTHIA has its classes.

    Raises:
        SwiftsegError: The file is missing, damaged, no such PNG, or the channel exceeds 255.
    """
    values = read_16_bit_colors(Path(path))
    if values is None:
        raise SwiftsegError(f"{path}: expected a PNG of three 16-bit channels")
    if values[..., 0].max(initial=0) > 255:
        raise SwiftsegError(f"{path}: expected values of 0 to 255 in the first channel")
    return np.ascontiguousarray(values[..., 0], np.uint8)


def read_16_bit_colors(path: Path) -> np.ndarray | None:
    """Read a PNG of 16 bits a color channel as uint16 (H, W, 3); return None for other files.

    Raises:
        SwiftsegError: The file is missing or damaged.
    """
    with opened(path) as image:
        tiles = cast(Any, image).tile if image.format == "PNG" else ()
        modes = {str(tile.args) for tile in tiles}
        if len(modes) != 1 or not modes <= {"RGB;16B", "RGBA;16B"}:
            return None
        with Image.open(path, formats=("PNG",)) as again:
            # Pillow keeps the upper byte of each value. Read as little-endian it keeps the lower.
            args = modes.pop().replace("16B", "16L")
            again.tile = [tile._replace(args=args) for tile in again.tile]
            image.load()
            again.load()
            upper, lower = np.array(image)[..., :3], np.array(again)[..., :3]
    return upper.astype(np.uint16) << 8 | lower


def _described(mode: str) -> str:
    """Name a Pillow mode as users know it."""
    if mode.startswith("I"):
        return "16 or more bits of gray"
    return {"F": "floating point values", "RGBA": "RGB with alpha", "LA": "gray with alpha"}.get(
        mode, mode
    )
