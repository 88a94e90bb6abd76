"""Reading image files: frames as RGB, masks as class indices, anything else refused in one line.

What `read_image` makes of the kinds of file there are:

- grayscale, 1-bit, palette, CMYK and YCbCr images become RGB;
- transparency is dropped, the stored colors stay: a camera knows none, and any background put
  beneath would be invented;
- the EXIF orientation is applied, as every viewer does;
- of an animation the first frame is read;
- more than 8 bits in a grayscale image are refused, since only the user knows which range holds
  the picture. (Pillow itself reads 16-bit color PNGs as their upper 8 bits.)
"""

import io
import struct
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from swiftseg.core import SwiftsegError
from swiftseg.data.images.fast_jpeg import decode_jpeg
from swiftseg.data.images.pillow_warnings import pillow_warnings_ignored

MAX_PIXELS = 100_000_000  # 300 MB as RGB; beyond it a small file may claim all memory
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")

# Pillow tries no others: some of its readers start programs (EPS) or open further files. The last
# two stand there since looking for them makes Pillow import all its readers.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
_COLOR_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_ORIENTATION = 0x0112  # EXIF's tag
# What puts each orientation upright; 1, or any other value, is upright already.
_UPRIGHT: Mapping[object, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
    8: np.rot90,
}
# What Pillow's decoders raise on damaged files, by format and by how it is damaged.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


class NotAnImageError(SwiftsegError):
    """The bytes are no picture in a format that is read."""


class ImageTooLargeError(SwiftsegError):
    """The header promises more pixels than are decoded."""


def read_image(path: Path | str) -> np.ndarray:
    """Reads an image file as uint8 (H, W, 3) RGB, upright.

    Raises:
        SwiftsegError: The file is missing, empty, truncated, no image, larger than `MAX_PIXELS`,
            or has more than 8 bits a channel.
    """
    path = Path(path)
    with _opened(path) as image:
        return _upright_rgb(image, path, str(path))


def decode_image(
    data: bytes,
    name: str = "the picture",
    *,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = _FORMATS,
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
        SwiftsegError: The file is truncated, damaged, or has more than 8 bits a channel.
    """
    if not data:
        raise NotAnImageError(f"{name} is empty (0 bytes)")
    with _opened(name, io.BytesIO(data), max_pixels=max_pixels, formats=formats) as image:
        return _upright_rgb(image, data, name)


def _upright_rgb(image: Image.Image, source: Path | bytes, name: str) -> np.ndarray:
    pixels = decode_jpeg(source, image)
    if pixels is None:
        pixels = rgb_array(image, name)
    turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION))
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def rgb_array(image: Image.Image, name: str = "the image") -> np.ndarray:
    """Converts a Pillow image as it stands to uint8 (H, W, 3) RGB.

    Args:
        image: Of any mode with 8 bits a channel or fewer.
        name: What an error calls it.

    Raises:
        SwiftsegError: It has more than 8 bits a channel.
    """
    if image.mode not in _COLOR_MODES:
        raise SwiftsegError(
            f"{name}: expected 8 bits a channel, got {_described(image.mode)}; "
            "convert it to 8 bits first"
        )
    return np.array(image.convert("RGB"))


def read_mask(path: Path | str) -> np.ndarray:
    """Reads an index mask as uint8 (H, W): a palette's indices, or gray values as they stand.

    A 16-bit file passes when each of its values fits 8 bits. The EXIF orientation is left alone.

    Raises:
        SwiftsegError: The file is missing, empty, truncated, no image, larger than `MAX_PIXELS`,
            has color or transparency channels, or values above 255.
    """
    with _opened(Path(path)) as image:
        image.load()
        if image.mode in ("1", "L", "P"):
            return np.array(image, dtype=np.uint8)
        if not image.mode.startswith("I"):
            raise SwiftsegError(
                f"{path}: expected an index mask, got {_described(image.mode)}; "
                "save it with one channel that holds the class index"
            )
        values = np.array(image)
    if values.min() < 0 or values.max() > 255:
        raise SwiftsegError(
            f"{path}: expected class indices of 0 to 255, got a 16-bit mask with values "
            f"from {values.min()} to {values.max()}"
        )
    return values.astype(np.uint8)


def read_first_channel(path: Path | str) -> np.ndarray:
    """Reads the first channel of a 16-bit color PNG as uint8 (H, W), where SYNTHIA has its classes.

    Raises:
        SwiftsegError: The file is missing, damaged, no such PNG, or the channel exceeds 255.
    """
    with _opened(Path(path)) as image, Image.open(path, formats=("PNG",)) as again:
        if [tile.args for tile in again.tile] != ["RGB;16B"]:
            raise SwiftsegError(f"{path}: expected a PNG of three 16-bit channels")
        # Pillow keeps the upper byte of each value. Read as little-endian it keeps the lower one.
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]
        image.load()
        again.load()
        upper, lower = np.array(image)[..., 0], np.array(again)[..., 0]
    if upper.any():
        raise SwiftsegError(f"{path}: expected values of 0 to 255 in the first channel")
    return lower


def is_turned(path: Path | str) -> bool:
    """Tells whether an image's EXIF orientation turns or mirrors what is stored.

    Raises:
        SwiftsegError: The file cannot be read.
    """
    with _opened(Path(path)) as image:
        return image.getexif().get(_ORIENTATION) in _UPRIGHT


@contextmanager
def _opened(
    path: Path | str,
    data: io.BytesIO | None = None,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = _FORMATS,
) -> Generator[Image.Image]:
    """Yields the image, checked but not decoded; errors of decoding it become one line.

    It is read from `data` where there is any, and `path` is then only what errors call it.
    """
    Image.preinit()  # the common readers; without them Pillow would import all it has
    try:
        # Pillow warns of sizes and of odd metadata; the size is checked here, and metadata other
        # than the orientation is not used.
        with pillow_warnings_ignored(), Image.open(data or path, formats=formats) as image:
            if image.width * image.height > max_pixels:
                raise _too_large(path, f" ({image.width} x {image.height})", max_pixels)
            yield image
    except Image.DecompressionBombError as error:
        raise _too_large(path, "", max_pixels) from error
    except UnidentifiedImageError as error:
        is_empty = data is None and Path(path).stat().st_size == 0
        reason = (
            "the file is empty (0 bytes)"
            if is_empty
            else f"not an image that can be read ({', '.join(formats)})"
        )
        raise NotAnImageError(f"{path}: {reason}") from error
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such file: {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except _DAMAGE as error:
        raise SwiftsegError(f"{path}: the image is truncated or damaged ({error})") from error


def _too_large(path: Path | str, size: str, max_pixels: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"{path}: the image{size} exceeds {max_pixels / 1e6:g} megapixels")


def _described(mode: str) -> str:
    """Names a Pillow mode as users know it."""
    if mode.startswith("I"):
        return "16 or more bits of gray"
    return {"F": "floating point values", "RGBA": "RGB with alpha", "LA": "gray with alpha"}.get(
        mode, mode
    )
