"""Pictures that are too large to be read at once, window by window.

A TIFF is read by its tiles or strips, of which the last ones used stay in memory. Other formats
have no windows and are decoded once.
"""

import math
import sys
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.memory import free_memory_bytes
from swiftseg.core.memory_limit import PIXEL_BYTES, check_limit
from swiftseg.data.images.band_file import (
    band_type,
    bands_last,
    checked,
    is_tiff,
    open_tiff,
    read_picture,
    series_shape,
)
from swiftseg.data.images.header import (
    MAX_PIXELS,
    RGB_KIND,
    ImageTooLargeError,
    opened,
    read_header,
    too_large,
)
from swiftseg.data.images.image_file import rgb_array

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

CACHE_BYTES = 512 << 20  # of decoded tiles or strips: a row of windows uses the row before again
_MIN_IS_BLACK, _RGB, _YCBCR = 1, 2, 6  # TIFF's photometric interpretations that need no conversion

Slices = tuple[slice, slice]


class Pixels(Protocol):
    """A picture whose windows can be cut out, such as an array (H, W, bands).

    Attributes:
        shape: Height, width and bands.
        dtype: Of the values.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> "np.dtype[Any]": ...
    def __getitem__(self, window: Slices, /) -> np.ndarray: ...


@contextmanager
def open_windows(path: Path) -> Generator[Pixels]:
    """Yield a picture of any size, upright, as `read_picture` would read it.

    Raises:
        MissingExtraError: The file is a TIFF, and tifffile is not installed.
        SwiftsegError: The file cannot be read, or has no windows and does not fit into memory.
    """
    if not is_tiff(path):
        yield _decoded(path)
        return
    with open_tiff(path) as tiff:
        windows = _windows_of(tiff, path)
        if windows is not None:
            yield windows
            return
    yield _decoded(path)


def _decoded(path: Path) -> np.ndarray:
    """Decode a picture at once, beyond `MAX_PIXELS` as far as there is memory."""
    most = max(MAX_PIXELS, free_memory_bytes() // PIXEL_BYTES)
    header = read_header(path, max_pixels=most)
    height, width = header.size_hw
    check_limit(str(path), header.size_hw, height * width * PIXEL_BYTES)
    if height * width <= MAX_PIXELS:
        return read_picture(path)
    if header.kind != RGB_KIND or header.orientation != 1:
        raise too_large(path, f" ({width} x {height}) has no windows to be read by, and", most)
    with opened(path, max_pixels=most) as image:
        return rgb_array(image, str(path))


def picture_hw(path: Path) -> tuple[int, int]:
    """Return the size of a picture as stored, however large it is.

    Raises:
        MissingExtraError: The file is a TIFF, and tifffile is not installed.
        SwiftsegError: The file cannot be read.
    """
    try:
        return read_header(path, max_pixels=sys.maxsize).size_hw
    except ImageTooLargeError:
        if not is_tiff(path):
            raise
        with open_tiff(path) as tiff:
            return series_shape(path, tiff.series[0])[:2]


def _windows_of(tiff: "TiffFile", path: Path) -> Pixels | None:
    """Return the windows of a TIFF; None where it has to be decoded at once."""
    series = tiff.series[0]
    pages = [page for page in series.pages if page is not None]
    first = pages[0].aspage()
    height, width, bands = series_shape(path, series)
    kind = _kind_of(first, bands, path)
    is_plain = first.photometric in (_MIN_IS_BLACK, _RGB, _YCBCR) and first.fillorder == 1
    is_turned = "Orientation" in first.tags and first.tags["Orientation"].value != 1
    if kind is None or not is_plain or is_turned or first.imagedepth != 1:
        return None
    if first.is_memmappable and len(pages) == 1:
        return _Mapped(bands_last(tiff.series[0].asarray(out="memmap"), series.axes), path, kind)
    return TiffWindows(tiff, [page.aspage() for page in pages], (height, width, bands), path, kind)


def _kind_of(page: "TiffPage", bands: int, path: Path) -> tuple[int, str] | None:
    """Return a TIFF's bands and type as `read_header` tells them; None where Pillow has to look."""
    dtype = band_type(np.dtype(page.dtype or "uint8"), path)
    if dtype != RGB_KIND[1]:
        return bands, dtype
    if page.bitspersample != 8:
        return None
    is_gray = page.photometric == _MIN_IS_BLACK and bands == 1
    is_color = page.photometric in (_RGB, _YCBCR) and bands == RGB_KIND[0]
    has_alpha = page.photometric == _RGB and bands == 4 and page.extrasamples[:1] in ((1,), (2,))
    return RGB_KIND if is_gray or is_color or has_alpha else (bands, dtype)


class _Mapped:
    """The windows of an array (H, W, bands) that lies in a file as it is."""

    def __init__(self, array: np.ndarray, path: Path, kind: tuple[int, str]) -> None:
        self.array, self.path, self.kind = array, path, kind
        self.shape = (*array.shape[:2], kind[0])
        self.dtype = np.dtype(kind[1])

    def __getitem__(self, window: Slices, /) -> np.ndarray:
        return as_kind(np.array(self.array[window]), self.kind, self.path)


class TiffWindows:
    """The windows of a TIFF whose tiles or strips are decoded when they are needed.

    `tiff` stays open as long as windows are read; `pages` are one with all bands, or one a band.
    """

    def __init__(
        self,
        tiff: "TiffFile",
        pages: "list[TiffPage]",
        stored: tuple[int, int, int],
        path: Path,
        kind: tuple[int, str],
    ) -> None:
        self.tiff, self.pages, self.path, self.kind = tiff, pages, path, kind
        page = pages[0]
        height, width, self.stored_bands = stored
        self.shape = (height, width, kind[0])
        self.dtype = np.dtype(kind[1])
        is_tiled = page.is_tiled
        self.segment_hw = (
            (page.tilelength, page.tilewidth) if is_tiled else (page.rowsperstrip, width)
        )
        self.segment_hw = min(self.segment_hw[0], height), self.segment_hw[1]
        self.across = -(-width // self.segment_hw[1])
        self.down = -(-height // self.segment_hw[0])
        self.planes = page.samplesperpixel if page.planarconfig == 2 else 1
        self.cache: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        self.cached_bytes = 0
        self.most_cached = min(CACHE_BYTES, free_memory_bytes() // 4)
        segment_bytes = math.prod(self.segment_hw) * self.stored_bands * self.dtype.itemsize
        check_limit(str(path), (height, width), 2 * segment_bytes, also="")

    def __getitem__(self, window: Slices, /) -> np.ndarray:
        rows, columns = (
            range(*side.indices(length))
            for side, length in zip(window, self.shape[:2], strict=True)
        )
        shape = (len(rows), len(columns), self.stored_bands)
        pixels = np.zeros(shape, dtype=self.pages[0].dtype)
        for row, column in self._segments(rows, columns):
            top, left = row * self.segment_hw[0], column * self.segment_hw[1]
            segment = self._planes(row, column)
            inside_rows = _shared(rows, top, segment.shape[0])
            inside_columns = _shared(columns, left, segment.shape[1])
            pixels[inside_rows[0], inside_columns[0]] = segment[inside_rows[1], inside_columns[1]]
        return as_kind(pixels, self.kind, self.path)

    def _segments(self, rows: range, columns: range) -> Iterator[tuple[int, int]]:
        for row in range(rows.start // self.segment_hw[0], -(-rows.stop // self.segment_hw[0])):
            for column in range(
                columns.start // self.segment_hw[1], -(-columns.stop // self.segment_hw[1])
            ):
                yield row, column

    def _planes(self, row: int, column: int) -> np.ndarray:
        """Return all bands of one tile or strip, (h, w, bands)."""
        number = row * self.across + column
        parts = [
            self._decoded(page, plane * self.across * self.down + number)
            for page in range(len(self.pages))
            for plane in range(self.planes)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _decoded(self, page: int, number: int) -> np.ndarray:
        key = page, number
        if key in self.cache:
            self.cache.move_to_end(key)
            return self.cache[key]
        segment = self._read(self.pages[page], number)
        self.cache[key] = segment
        self.cached_bytes += segment.nbytes
        while self.cached_bytes > self.most_cached and len(self.cache) > 1:
            _, oldest = self.cache.popitem(last=False)
            self.cached_bytes -= oldest.nbytes
        return segment

    def _read(self, page: "TiffPage", number: int) -> np.ndarray:
        """Decode one tile or strip, (h, w, bands of the page's plane); a missing one is zero."""
        handle = self.tiff.filehandle
        try:
            handle.seek(page.dataoffsets[number])
            data = handle.read(page.databytecounts[number])
            decoded, _, shape = page.decode(data, number, jpegtables=page.jpegtables)
        except Exception as error:  # the codecs' errors share no base class of their own
            reason = str(error).strip().partition("\n")[0]
            raise SwiftsegError(
                f"{self.path}: the TIFF is truncated or damaged ({reason})"
            ) from error
        if decoded is None:
            return np.zeros(shape[1:], dtype=page.dtype)
        return decoded[0]


def _shared(wanted: range, begin: int, length: int) -> tuple[slice, slice]:
    """Return where a segment of a side lies in what is wanted, and what of the segment that is."""
    first, last = max(wanted.start, begin), min(wanted.stop, begin + length)
    return slice(first - wanted.start, last - wanted.start), slice(first - begin, last - begin)


def as_kind(pixels: np.ndarray, kind: tuple[int, str], path: Path) -> np.ndarray:
    """Bring stored pixels (H, W, bands) to the bands and the type they are handed out with."""
    if kind == RGB_KIND:
        if pixels.shape[2] < RGB_KIND[0]:  # gray, and gray with alpha
            pixels = pixels[..., :1].repeat(RGB_KIND[0], axis=2)
        return np.ascontiguousarray(pixels[..., : RGB_KIND[0]])
    assert band_type(pixels.dtype, path) == kind[1]
    return checked(pixels, path)
