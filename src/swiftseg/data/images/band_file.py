"""Pictures beyond 8-bit RGB: gray of 16 bits, floating point values, and TIFFs of many bands.

What is read, and how:

- TIFFs by tifffile, their bands beside each other, plane by plane, or one a page; the first series
  of pages, which in a pyramid is the full size;
- PNGs and others of 16-bit gray by Pillow;
- arrays of NumPy and MATLAB, whose shortest axis is that of the bands.

Values keep their type where it is one of `BAND_TYPES`. Of the others, int8 becomes int16, and types
of 32 and 64 bits become float32, which holds whole numbers up to 16,777,216.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.core.budgets import MAX_BAND_BYTES, MAX_BANDS
from swiftseg.core.spec import BAND_TYPES, RGB_BANDS, described_bands
from swiftseg.data.images.array_file import BINARY_SUFFIXES, read_array_picture
from swiftseg.data.images.header import (
    MAX_PIXELS,
    RGB_KIND,
    BandsError,
    Header,
    opened,
    too_large,
)
from swiftseg.data.images.image_file import read_8_bits

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPageSeries

TIFF_SUFFIXES = (".tif", ".tiff")


def read_picture(path: Path | str) -> np.ndarray:
    """Read a picture in the form it has: uint8 (H, W, 3) RGB, or (H, W, bands) of another type.

    Gray pictures of 8 bits are RGB, as `read_image` has it; those of more bits are one band.

    Raises:
        MissingExtraError: The file is a TIFF of bands, and tifffile is not installed.
        SwiftsegError: As `read_image`, or values are not numbers.
    """
    path = Path(path)
    if path.suffix.lower() in BINARY_SUFFIXES:
        return _array_picture(path)
    try:
        return read_8_bits(path)
    except BandsError:
        return read_bands(path)


def _array_picture(path: Path) -> np.ndarray:
    """Read an array as `read_picture` has it: gray of 8 bits is RGB."""
    pixels = checked(read_array_picture(path), path)
    if pixels.shape[2:] == (1,) and pixels.dtype == np.uint8:
        return np.repeat(pixels, RGB_BANDS, axis=2)
    return pixels


def read_bands(path: Path) -> np.ndarray:
    """Read the bands of a picture as (H, W, bands) of one of `BAND_TYPES`.

    Raises:
        SwiftsegError: The file cannot be read, is too large, or holds values that are not numbers.
    """
    if not is_tiff(path):
        with opened(path) as image:
            pixels = np.array(image)[..., None]
    else:
        with open_tiff(path) as tiff:
            series = tiff.series[0]
            _refuse_large(path, series)
            pixels = bands_last(series.asarray(), series.axes)
    return checked(pixels, path)


def _refuse_large(path: Path, series: "TiffPageSeries") -> None:
    """Raise SwiftsegError where a series of pages is beyond the budgets of a picture."""
    height, width, bands = series_shape(path, series)
    if height * width > MAX_PIXELS:
        raise too_large(path, f" ({width} x {height})", MAX_PIXELS)
    size = height * width * bands * np.dtype(series.dtype or "uint8").itemsize
    if size > MAX_BAND_BYTES:
        raise SwiftsegError(
            f"{path}: its {bands} bands take {size >> 20:,} MB, and at most "
            f"{MAX_BAND_BYTES >> 20:,} MB are decoded at once; predict --tile reads windows of it"
        )


def checked(pixels: np.ndarray, path: Path) -> np.ndarray:
    """Return (H, W, bands) in one of `BAND_TYPES`; raise SwiftsegError for what is no number."""
    pixels = np.ascontiguousarray(pixels, dtype=band_type(pixels.dtype, path))
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        count = int((~np.isfinite(pixels)).sum())
        raise SwiftsegError(
            f"{path}: {count} values are not numbers (NaN or infinite); fill them first, for "
            "instance with the mean of their band"
        )
    return pixels


def band_type(dtype: "np.dtype[Any]", path: Path) -> str:
    """Return the type that a file's values are read as."""
    if dtype.name in BAND_TYPES:
        return dtype.name
    if dtype.kind == "b":
        return "uint8"
    if dtype == np.int8:
        return "int16"
    if dtype.kind in "iuf":
        return "float32"
    raise SwiftsegError(f"{path}: values of {dtype} are no picture")


def band_header(path: Path) -> Header:
    """Read the size, bands and type of a TIFF, or of a picture kept as an array.

    Raises:
        MissingExtraError: tifffile is not installed.
        SwiftsegError: The file is damaged, or its axes are not those of one picture.
    """
    if path.suffix.lower() in BINARY_SUFFIXES:
        height, width, bands = (pixels := _array_picture(path)).shape
        kind = (bands, pixels.dtype.name)
        mode = "RGB" if kind == RGB_KIND else described_bands(*kind)
        return Header((height, width), mode, path.suffix[1:].upper(), 1, (), kind)
    with open_tiff(path) as tiff:
        series = tiff.series[0]
        height, width, bands = series_shape(path, series)
        dtype = band_type(np.dtype(series.dtype or "uint8"), path)
        return Header((height, width), described_bands(bands, dtype), "TIFF", 1, (), (bands, dtype))


@contextmanager
def open_tiff(path: Path) -> "Generator[TiffFile]":
    """Yield an open TIFF; errors of reading it become one line.

    Raises:
        MissingExtraError: tifffile is not installed.
        SwiftsegError: The file is missing or damaged.
    """
    with needs_extra(f"reading the bands of {path}", "bands"):
        import tifffile
    try:
        with tifffile.TiffFile(path) as tiff:
            yield tiff
    except (SwiftsegError, FileNotFoundError):
        raise
    except (
        tifffile.TiffFileError,
        OSError,
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise SwiftsegError(f"{path}: the TIFF is truncated or damaged ({reason})") from error


def series_shape(path: Path, series: "TiffPageSeries") -> tuple[int, int, int]:
    """Return height, width and bands of a series of pages.

    Raises:
        SwiftsegError: It has several axes beside rows and columns, or too many bands.
    """
    sizes = dict(zip(series.axes, series.shape, strict=True))
    height, width = sizes.pop("Y", 0), sizes.pop("X", 0)
    others = [size for size in sizes.values() if size > 1]
    if not height or not width or len(others) > 1:
        shape = " x ".join(map(str, series.shape))
        raise SwiftsegError(f"{path}: expected rows, columns and bands, got an array of {shape}")
    bands = others[0] if others else 1
    if bands > MAX_BANDS:
        raise SwiftsegError(f"{path}: {bands:,} bands, and at most {MAX_BANDS:,} are read")
    return height, width, bands


def bands_last(pixels: np.ndarray, axes: str) -> np.ndarray:
    """Bring an array of a series to (H, W, bands)."""
    rows, columns = axes.index("Y"), axes.index("X")
    moved = np.moveaxis(pixels, (rows, columns), (0, 1))
    return moved.reshape(*moved.shape[:2], -1)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF; BigTIFF is one."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
