"""Pictures that are held in bytes rather than in files of their own."""

import io
import zlib
from collections.abc import Generator
from contextlib import contextmanager

from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import BandsError, NotAnImageError, opened

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")


@contextmanager
def open_bitmap(held: bytes, max_hw: tuple[int, int] | None = None) -> Generator[Image.Image]:
    """Yield a picture, its size checked before it is decoded.

    Args:
        held: The bytes of an image file.
        max_hw: The largest height and width; None allows what a picture's file may have.

    Raises:
        SwiftsegError: It is no picture, damaged, or too large.
    """
    try:
        with opened("the picture", io.BytesIO(held), formats=FORMATS) as image:
            width, height = image.size
            if max_hw is not None and (height > max_hw[0] or width > max_hw[1]):
                raise SwiftsegError(
                    f"the bitmap is {height}x{width}, the picture {max_hw[0]}x{max_hw[1]} "
                    "(height x width)"
                )
            yield image
    except BandsError:
        raise
    except NotAnImageError as error:
        raise SwiftsegError("no picture that can be read") from error


def inflated(packed: bytes, max_bytes: int) -> bytes:
    """Return what zlib has packed.

    Raises:
        SwiftsegError: It is no such data, or more than `max_bytes`.
    """
    unpacker = zlib.decompressobj()
    try:
        held = unpacker.decompress(packed, max_bytes)
    except zlib.error as error:
        raise SwiftsegError(f"the bitmap is no zlib data: {error}") from error
    if not unpacker.eof:
        more = "unpacks to more than a picture holds" if len(held) >= max_bytes else "is cut off"
        raise SwiftsegError(f"the bitmap {more}")
    return held
