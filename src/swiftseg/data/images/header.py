"""What an image file says of itself before it is decoded: read here and nowhere else."""

import logging
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image, UnidentifiedImageError

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_JPEG_SCANS, MAX_JPEG_WORK, MAX_PIXELS, MAX_ROWS
from swiftseg.core.large_in_turn import turn_if_large
from swiftseg.core.memory import NO_MEMORY
from swiftseg.core.spec import RGB_BANDS, RGB_TYPE
from swiftseg.data.images.array_file import BINARY_SUFFIXES
from swiftseg.data.images.phone_formats import SUFFIXES, phone_format
from swiftseg.data.images.pillow_warnings import pillow_warnings_ignored

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".jp2", ".bmp", ".webp", ".tif", ".tiff", ".gif"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
    *SUFFIXES,
)

# Pillow tries no others: some of its readers start programs (EPS) or open further files. The last
# three stand there since looking for them makes Pillow import all its readers.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "JPEG2000")
SIDEWAYS = (5, 6, 7, 8)  # EXIF's orientations that lay an image on its side
_ORIENTATION = 0x0112  # EXIF's tag
# Pillow and tifffile log what they cannot decode; here that becomes an error.
for reader in ("PIL", "tifffile"):
    logging.getLogger(reader).addHandler(logging.NullHandler())
# A picture is one block of memory. Blocks above 32 MB go back to the system when they are freed;
# those of 16 MB that Pillow takes by itself may stay, 400 MB of a large picture.
cast(Any, Image).core.set_block_size(1 << 30)
_TIFF_SUBFILE, _TIFF_BITS, _TIFF_BANDS, _TIFF_FORMAT = 0x00FE, 0x0102, 0x0115, 0x0153
RGB_KIND = (RGB_BANDS, RGB_TYPE)
# Pillow's modes of one band with more than 8 bits, and the type their values are read as.
GRAY_KINDS = {
    **dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), (1, "uint16")),
    **dict.fromkeys(("I", "F"), (1, "float32")),
}
# What Pillow raises on damaged tags, by how they are damaged.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)
_SCAN = b"\xff\xda"  # a JPEG's marker; within a scan's data another byte follows 0xff


class NotAnImageError(SwiftsegError):
    """The bytes are no picture in a format that is read."""


class BandsError(NotAnImageError):
    """The picture is sound, and no 8-bit RGB."""


class ImageTooLargeError(SwiftsegError):
    """The header promises more pixels than are decoded."""


@dataclass(frozen=True)
class Header:
    """What a file says of its image.

    Attributes:
        size_hw: As stored, in pixels.
        mode: Pillow's name of the pixel's type, such as `RGB`, `P` or `I;16`.
        file_format: Pillow's name of the format, such as `JPEG`.
        orientation: EXIF's, 1 to 8; 1 is upright.
        palette: The colors of a palette as 24-bit codes; empty without one.
        kind: The bands and their type; (3, `uint8`) is read as 8-bit RGB.
    """

    size_hw: tuple[int, int]
    mode: str
    file_format: str
    orientation: int
    palette: tuple[int, ...]
    kind: tuple[int, str] = RGB_KIND

    @property
    def shown_hw(self) -> tuple[int, int]:
        """The size of the upright image."""
        height, width = self.size_hw
        return (width, height) if self.orientation in SIDEWAYS else (height, width)


def read_header(path: Path | str, *, max_pixels: int = MAX_PIXELS) -> Header:
    """Read the header of an image file of up to `max_pixels`.

    Raises:
        SwiftsegError: The file is missing, empty, no image, or larger than `max_pixels`.
    """
    path = Path(path)
    if path.suffix.lower() not in BINARY_SUFFIXES:
        try:
            return _read_header(path, max_pixels)
        except BandsError:
            pass
    from swiftseg.data.images.band_file import band_header

    return band_header(path)


def _read_header(path: Path, max_pixels: int) -> Header:
    with opened(path, max_pixels=max_pixels, decodes=False) as image:
        if has_more_bands(image):
            raise BandsError(f"{path}: more bands than RGB")
        flat = (image.getpalette("RGB") or []) if image.mode == "P" else []
        triples = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        palette = tuple(red << 16 | green << 8 | blue for red, green, blue in triples)
        size_hw = (image.height, image.width)
        kind = GRAY_KINDS.get(image.mode, RGB_KIND)
        if image.format == "TIFF" and kind == (1, "float32") and _is_int16(image):
            kind = (1, "int16")
        orientation = orientation_of(image)
        return Header(size_hw, image.mode, str(image.format), orientation, palette, kind)


def _is_int16(image: Image.Image) -> bool:
    """Whether a TIFF of one band holds signed numbers of 16 bits, which Pillow widens."""
    tags = cast(Any, image).tag_v2
    return tags.get(_TIFF_BITS) == (16,) and tags.get(_TIFF_FORMAT) == (2,)


def has_more_bands(image: Image.Image) -> bool:
    """Whether a TIFF has what Pillow drops: bands beside RGB or one a page, bits above 8."""
    if image.format != "TIFF":
        return False
    tags = cast(Any, image).tag_v2
    bands, bits = int(tags.get(_TIFF_BANDS, 1)), max(tags.get(_TIFF_BITS, (1,)))
    if image.mode == "RGBX" or bands > len(image.getbands()):
        return True
    if bands > 1 and bits > 8:
        return True
    if getattr(image, "n_frames", 1) == 1:
        return False
    first_wh = image.size
    image.seek(1)
    is_alike = image.size == first_wh and not cast(Any, image).tag_v2.get(_TIFF_SUBFILE, 0)
    image.seek(0)
    return is_alike


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an open image; 1 where there is none, or no valid one."""
    value = image.getexif().get(_ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def is_gray(path: Path) -> bool:
    """Whether a file is a sound picture of one band."""
    try:
        header = read_header(path)
    except SwiftsegError:
        return False
    return header.mode in ("1", "L") or header.kind[0] == 1


def is_animated(path: Path) -> bool:
    """Whether a file is a sound animation, such as a GIF of several frames."""
    try:
        with opened(path, decodes=False) as image:
            return getattr(image, "is_animated", False)
    except SwiftsegError:
        return False


@contextmanager
def opened(
    path: Path | str,
    data: BinaryIO | None = None,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = FORMATS,
    decodes: bool = True,
) -> Generator[Image.Image]:
    """Yield the image, checked but not decoded; errors of decoding it become one line.

    Args:
        path: The file, or what errors call `data`.
        data: The file's content, where it is in memory.
        max_pixels: The most that are decoded.
        formats: Names of Pillow's readers; no other is tried. `FORMATS` stands for AVIF and HEIC
            too, where their readers are.
        decodes: Whether the image is decoded: a large one then waits for its turn.
    """
    Image.preinit()  # the common readers; without them Pillow would import all it has
    if (
        data is None
        and not Path(path).is_file()
        and Path(path).exists()
        and not Path(path).is_dir()
    ):
        raise SwiftsegError(f"{path}: no ordinary file; a pipe or a device cannot be read as one")
    try:
        if formats is FORMATS:
            formats = phone_format(path, data) or FORMATS
        # Pillow warns of sizes and of odd metadata; the size is checked here, and metadata other
        # than the orientation is not used.
        with pillow_warnings_ignored(), Image.open(data or path, formats=formats) as image:
            if image.width * image.height > max_pixels:
                raise too_large(path, f" ({image.width} x {image.height})", max_pixels)
            if image.height > MAX_ROWS:
                raise ImageTooLargeError(
                    f"{path}: the image's {image.height} rows exceed {MAX_ROWS / 1e6:g} million"
                )
            if image.format == "JPEG" and decodes:
                _check_scans(path, data, image.width * image.height)
            with turn_if_large(image.width * image.height if decodes else 0):
                yield image
    except SwiftsegError:
        raise
    except Image.DecompressionBombError as error:
        raise too_large(path, "", max_pixels) from error
    except UnidentifiedImageError as error:
        raise _not_an_image(path, data, formats) from error
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such file: {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except MemoryError as error:
        raise SwiftsegError(f"{path}: {NO_MEMORY}") from error
    except Exception as error:  # a decoder raises whatever it happens to meet in a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SwiftsegError(f"{path}: the image is truncated or damaged ({reason})") from error


def _check_scans(path: Path | str, data: BinaryIO | None, pixels: int) -> None:
    """Refuse a JPEG whose scans, each of which goes over all pixels, take minutes.

    Raises:
        ImageTooLargeError: There are more than `MAX_JPEG_SCANS`, or `MAX_JPEG_WORK` in all.
    """
    if data is None:
        scans = Path(path).read_bytes().count(_SCAN)
    else:
        data.seek(0)
        scans = data.read().count(_SCAN)
    if scans > MAX_JPEG_SCANS or scans * pixels > MAX_JPEG_WORK:
        raise ImageTooLargeError(
            f"{path}: the image has {scans} scans of {pixels / 1e6:.3g} megapixels, which takes "
            "minutes to decode; save it again as an ordinary JPEG"
        )


def too_large(path: Path | str, size: str, max_pixels: int) -> ImageTooLargeError:
    """Return the error of an image of too many pixels."""
    return ImageTooLargeError(f"{path}: the image{size} exceeds {max_pixels / 1e6:g} megapixels")


def _not_an_image(
    path: Path | str, data: BinaryIO | None, formats: tuple[str, ...]
) -> NotAnImageError:
    if data is None and Path(path).stat().st_size == 0:
        return NotAnImageError(f"{path}: the file is empty (0 bytes)")
    kind = _tiff_kind(Path(path)) if data is None else None
    if kind is not None:
        return BandsError(f"{path}: a TIFF image of {kind} where 8-bit RGB is expected")
    return NotAnImageError(f"{path}: not an image that can be read ({', '.join(formats)})")


def tiff_tags(path: Path) -> set[int]:
    """Return the numbers of a TIFF's tags; none for other files."""
    try:
        return set(_tags(path) or ())
    except _DAMAGE:
        return set()


def _tags(path: Path) -> Any:
    from PIL import TiffImagePlugin

    with pillow_warnings_ignored(), path.open("rb") as file:
        header = file.read(8)
        if header[:4] in (b"II+\0", b"MM\0+"):  # BigTIFF
            header += file.read(8)
        elif header[:4] not in (b"II*\0", b"MM\0*"):
            return None
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        file.seek(tags.next)
        tags.load(file)
        return tags


def _tiff_kind(path: Path) -> str | None:
    """Describe a sound TIFF whose pixels Pillow knows no mode for; None for other files."""
    try:
        tags = _tags(path)
        if tags is None:
            return None
        bands = int(tags.get(_TIFF_BANDS, 1))
        bits = cast(tuple[int, ...], tags.get(_TIFF_BITS, (1,)))[0]
        sample_format = cast(tuple[int, ...], tags.get(_TIFF_FORMAT, (1,)))[0]
    except _DAMAGE:
        return None
    values = {2: "signed integers", 3: "floating point values"}.get(sample_format, "integers")
    return f"{bands} band{'s' * (bands != 1)} of {bits}-bit {values}"
