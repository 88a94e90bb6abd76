"""Writes PNGs of three 16-bit channels, which Pillow reads in part and does not write."""

import struct
import zlib
from pathlib import Path

import numpy as np

BYTES_A_PIXEL = 6


def write_wide_png(path: Path, pixels: np.ndarray) -> None:
    """Writes uint16 (H, W, 3), with the filters Sub and Up in turn (PNG, section 9)."""
    height, width, channels = pixels.shape
    assert pixels.dtype == np.uint16
    assert channels == 3
    rows = pixels.astype(">u2").view(np.uint8).reshape(height, width * BYTES_A_PIXEL)
    lines: list[bytes] = []
    for index, row in enumerate(rows):
        if index % 2 == 0:
            left = np.concatenate([np.zeros(BYTES_A_PIXEL, np.uint8), row[:-BYTES_A_PIXEL]])
            lines.append(b"\x01" + (row - left).tobytes())
        else:
            lines.append(b"\x02" + (row - rows[index - 1]).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"".join(lines)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = kind + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
