"""How the masks of a user's own data are read: an encoding, and a class by value or color."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image, UnidentifiedImageError

from swiftseg.core import SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.images.image_file import read_image, read_mask
from swiftseg.data.mask_values import ColorMasks, IndexMasks
from swiftseg.data.paired_files import MaskReader

Encoding = Literal["index", "rgb", "palette", "binary"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
# Pillow's modes of several channels, of which masks that hold one value a pixel are read, too.
COLOR_MODES = ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "PA", "LA")


@dataclass(frozen=True)
class MaskRules:
    """What a mask's values mean.

    Attributes:
        encoding: `index` and `binary` masks hold one gray value a pixel, `palette` masks the
            indices of a palette, `rgb` masks a color.
        class_of: The class, or ignore_index, by value (0 to 255), or by 24-bit RGB code.
        ignore_index: What is no class, or None.
        tolerance: Values within this distance of one that is listed count as it, the nearest first;
            the distance of colors is their largest difference in a channel. What is farther away is
            ignored. At 0 only exact values are read, and others refused.
    """

    encoding: Encoding
    class_of: Mapping[int, int]
    ignore_index: int | None
    tolerance: int = 0

    def reader(self) -> MaskReader:
        """Makes the function that reads a mask's file as classes, uint8 (H, W)."""
        if self.encoding == "rgb":
            if self.tolerance:
                return SnappedColors(self)
            return ColorMasks({to_rgb(code): index for code, index in self.class_of.items()})
        read = read_palette_mask if self.encoding == "palette" else read_gray_mask
        table = self.class_of
        if self.tolerance:
            values = np.arange(256, dtype=np.uint32)
            table = dict(enumerate(snap(values, self).tolist()))
        return IndexMasks(table, self.ignore_index, read)


class SnappedColors:
    """Reads color masks whose colors are off, by blending at edges or by JPEG."""

    def __init__(self, rules: MaskRules) -> None:
        self.rules = rules

    def __call__(self, path: Path) -> np.ndarray:
        """Reads a mask as uint8 (H, W); raises SwiftsegError where the file cannot be read."""
        codes = to_codes(read_image(path))
        distinct, where = np.unique(codes, return_inverse=True)
        return snap(distinct, self.rules)[where.reshape(codes.shape)]


def snap(codes: np.ndarray, rules: MaskRules) -> np.ndarray:
    """Gives the class of the nearest listed value, uint8, or ignore_index beyond the tolerance.

    Args:
        codes: uint32 (n,), values or 24-bit colors.
        rules: With an ignore_index.
    """
    keys = np.array(list(rules.class_of), np.uint32)
    classes = np.array(list(rules.class_of.values()), np.uint8)
    nearest = np.zeros(len(codes), np.intp)
    smallest = np.full(len(codes), 256, np.int16)
    for index, key in enumerate(keys):  # one at a time: memory stays that of the codes
        distance = distances(codes, int(key), in_color=rules.encoding == "rgb")
        nearest[distance < smallest] = index
        smallest = np.minimum(smallest, distance)
    ignored = np.uint8(rules.ignore_index if rules.ignore_index is not None else 0)
    return np.where(smallest <= rules.tolerance, classes[nearest], ignored)


def distances(codes: np.ndarray, key: int, *, in_color: bool) -> np.ndarray:
    """Gives the distances of values, or of colors by their largest channel, int16 (n,)."""
    if not in_color:
        return np.abs(codes.astype(np.int16) - np.int16(key))
    channels = [np.abs((codes >> s & 255).astype(np.int16) - (key >> s & 255)) for s in (16, 8, 0)]
    return np.maximum.reduce(channels)


def read_gray_mask(path: Path) -> np.ndarray:
    """Reads one value a pixel, uint8 (H, W); RGB files pass where all three channels are equal.

    Raises:
        SwiftsegError: The file cannot be read, or holds colors.
    """
    if header_mode(path) not in COLOR_MODES:
        return read_mask(path)
    rgb = read_image(path)
    if not is_gray(rgb):
        raise SwiftsegError(
            f"{path}: expected an index mask, got colors; say `mask_encoding: rgb` with a palette, "
            "or save it with one channel that holds the class index"
        )
    return np.ascontiguousarray(rgb[..., 0])


def read_palette_mask(path: Path) -> np.ndarray:
    """Reads the indices of a palette file, uint8 (H, W).

    Raises:
        SwiftsegError: The file cannot be read or has no palette.
    """
    mode = header_mode(path)
    if mode not in ("P", "unreadable"):
        raise SwiftsegError(f"{path}: expected a mask with a palette, got {mode}")
    return read_mask(path)


def header_mode(path: Path) -> str:
    """Gives Pillow's name of a file's mode; `unreadable` where a reader will say why."""
    try:
        with Image.open(path) as image:
            return image.mode
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "unreadable"


def is_gray(rgb: np.ndarray) -> bool:
    """Tells whether the three channels of uint8 (H, W, 3) are equal."""
    return bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all())


def to_codes(rgb: np.ndarray) -> np.ndarray:
    """Packs uint8 (..., 3) RGB into 24-bit codes, uint32 (...)."""
    red, green, blue = np.moveaxis(rgb, -1, 0).astype(np.uint32)
    return red << 16 | green << 8 | blue


def to_code(color: RGB) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def to_rgb(code: int) -> RGB:
    return code >> 16, code >> 8 & 255, code & 255
