"""Label maps as tiled TIFFs, written band after band: for pictures that fit no memory."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import LabelSet, needs_extra
from swiftseg.core.files import replacing

TILE = 512
_BIG_BYTES = 1 << 31  # beyond it the offsets of a classic TIFF may not do


def write_label_tiff(
    path: Path,
    bands: Iterable[np.ndarray],
    size_hw: tuple[int, int],
    labels: LabelSet,
    extra_tags: Sequence[tuple[Any, ...]] = (),
) -> None:
    """Write a label map as a palette TIFF whose values are the class indices.

    Args:
        path: The file.
        bands: uint8 (rows, W), from top to bottom.
        size_hw: Of the whole label map.
        labels: The classes and their colors.
        extra_tags: Other tags, such as those of a GeoTIFF, as tifffile takes them.

    Raises:
        MissingExtraError: tifffile is not installed.
        SwiftsegError: The file cannot be written.
    """
    with needs_extra(f"writing {path}", "bands"):
        import tifffile
    palette = np.zeros((3, 256), np.uint16)
    palette[:, : len(labels)] = labels.colors.T.astype(np.uint16) * 257  # 16 bits a color
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            _tiles(bands, size_hw),
            shape=size_hw,
            dtype=np.uint8,
            bigtiff=size_hw[0] * size_hw[1] > _BIG_BYTES,
            photometric="palette",
            colormap=palette,
            tile=(TILE, TILE),
            compression="zlib",
            metadata=None,
            extratags=extra_tags,
        )


def _tiles(bands: Iterable[np.ndarray], size_hw: tuple[int, int]) -> Iterator[np.ndarray]:
    """Cut bands of any height into tiles, row by row; the last ones are filled up with zeros."""
    height, width = size_hw
    padded_width = -(-width // TILE) * TILE
    row = np.zeros((TILE, padded_width), np.uint8)
    filled = done = 0
    for band in bands:
        begin = 0
        while begin < len(band):
            count = min(len(band) - begin, TILE - filled)
            row[filled : filled + count, :width] = band[begin : begin + count]
            filled, begin, done = filled + count, begin + count, done + count
            if filled == TILE or done == height:
                for left in range(0, padded_width, TILE):
                    yield row[:, left : left + TILE].copy()
                row[:] = 0
                filled = 0
