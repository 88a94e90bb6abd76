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

import struct
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from swiftseg.core import SwiftsegError

MAX_PIXELS = 100_000_000  # 300 MB as RGB; beyond it a small file may claim all memory
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")

# Pillow tries no others: some of its readers start programs (EPS) or open further files.
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")
_COLOR_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
# What Pillow's decoders raise on damaged files, by format and by how it is damaged.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


def read_image(path: Path | str) -> np.ndarray:
    """Reads an image file as uint8 (H, W, 3) RGB, upright.

    Raises:
        SwiftsegError: The file is missing, empty, truncated, no image, larger than `MAX_PIXELS`,
            or has more than 8 bits a channel.
    """
    with _opened(Path(path)) as image:
        return rgb_array(ImageOps.exif_transpose(image), str(path))


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
        upper, lower = np.array(image)[..., 0], np.array(again)[..., 0]
    if upper.any():
        raise SwiftsegError(f"{path}: expected values of 0 to 255 in the first channel")
    return lower


@contextmanager
def _opened(path: Path) -> Generator[Image.Image]:
    """Yields the decoded image; its size is checked from the header, before decoding."""
    try:
        # Pillow warns of sizes and of odd metadata; the size is checked here, and metadata other
        # than the orientation is not used.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                _check_size(path, image.size)
                image.load()
                yield image
    except Image.DecompressionBombError as error:
        raise _too_large(path, "") from error
    except UnidentifiedImageError as error:
        raise SwiftsegError(_no_image(path)) from error
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such file: {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except _DAMAGE as error:
        raise SwiftsegError(f"{path}: the image is truncated or damaged ({error})") from error


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise _too_large(path, f" ({size[0]} x {size[1]})")


def _too_large(path: Path, size: str) -> SwiftsegError:
    return SwiftsegError(f"{path}: the image{size} exceeds {MAX_PIXELS // 10**6} megapixels")


def _no_image(path: Path) -> str:
    if path.stat().st_size == 0:
        return f"{path}: the file is empty (0 bytes)"
    return f"{path}: not an image that can be read ({', '.join(_FORMATS)})"


def _described(mode: str) -> str:
    """Names a Pillow mode as users know it."""
    if mode.startswith("I"):
        return "16 or more bits of gray"
    return {"F": "floating point values", "RGBA": "RGB with alpha", "LA": "gray with alpha"}.get(
        mode, mode
    )
