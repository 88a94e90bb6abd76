"""Pictures whose bands lie in files of their own, read as one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.spec import described_bands
from swiftseg.data.images.band_file import read_picture
from swiftseg.data.images.header import RGB_KIND, Header, read_header

GRAY_MODES = ("1", "L")  # of 8 bits, which are read as RGB


def read_joined_bands(paths: Sequence[Path]) -> np.ndarray:
    """Read files of one band each as one picture, (H, W, bands), in their order.

    Raises:
        SwiftsegError: A file cannot be read, or has several bands, another size or another type.
    """
    bands = [_single_band(path) for path in paths]
    first = bands[0]
    for path, band in zip(paths, bands, strict=True):
        if (band.shape, band.dtype) != (first.shape, first.dtype):
            raise SwiftsegError(
                f"{path}: {_described(band)}, where the band {paths[0]} is {_described(first)}; "
                "bands of one picture need one size (height x width) and type"
            )
    return np.stack(bands, axis=-1)


def joined_header(paths: Sequence[Path]) -> Header | None:
    """Return what the joined picture's header would say; None where files have to be read."""
    headers = [read_header(path) for path in paths]
    types = {
        "uint8" if header.mode in GRAY_MODES else header.kind[1] if header.kind[0] == 1 else ""
        for header in headers
    }
    sizes = {header.shown_hw for header in headers}
    if len(types) > 1 or len(sizes) > 1 or "" in types:
        return None
    kind = (len(paths), types.pop())
    mode = "RGB" if kind == RGB_KIND else described_bands(*kind)
    return Header(sizes.pop(), mode, headers[0].file_format, 1, (), kind)


def _single_band(path: Path) -> np.ndarray:
    """Read the one band of a file, (H, W); gray that is stored as RGB has one, too."""
    pixels = read_picture(path)
    if pixels.dtype == np.uint8 and (pixels == pixels[..., :1]).all():
        return pixels[..., 0]
    if pixels.shape[2] > 1:
        raise SwiftsegError(f"{path}: expected one band, got {pixels.shape[2]}")
    return pixels[..., 0]


def _described(band: np.ndarray) -> str:
    return f"{band.shape[0]}x{band.shape[1]} of {band.dtype}"
