"""How the masks of a user's own data are read: an encoding, and a class by value or color."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, read_array
from swiftseg.data.images.band_file import read_bands
from swiftseg.data.images.header import opened, read_header
from swiftseg.data.images.image_file import (
    read_16_bit_colors,
    read_mask,
    read_values,
    rgb_array,
    whole_values,
)
from swiftseg.data.mask_values import ColorMasks, IndexMasks
from swiftseg.data.paired_files import MaskReader

Encoding = Literal["index", "rgb", "palette", "binary"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
# Pillow's modes of several channels, of which masks that hold one value a pixel are read, too.
FLAT_SHARE = 0.5  # of the neighbors, that are equal in a mask; photographs have far fewer
COLOR_MODES = ("RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "PA", "LA")
WIDE_COLORS = (3, "uint16")  # of TIFFs


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
        """Make the function that reads a mask's file as classes, uint8 (H, W)."""
        if self.encoding == "rgb":
            if self.tolerance:
                return SnappedColors(self)
            colors = {to_rgb(code): index for code, index in self.class_of.items()}
            return ColorMasks(colors, read_colored)
        read = read_palette_mask if self.encoding == "palette" else read_gray_mask
        table = self.class_of
        if self.tolerance:
            values = np.arange(256, dtype=np.uint32)
            table = dict(enumerate(snap(values, self).tolist()))
        return IndexMasks(table, self.ignore_index, read)


class SnappedColors:
    """Read color masks whose colors are off, by blending at edges or by JPEG."""

    def __init__(self, rules: MaskRules) -> None:
        self.rules = rules

    def __call__(self, path: Path) -> np.ndarray:
        """Read a mask as uint8 (H, W); raises SwiftsegError where the file cannot be read."""
        codes = to_codes(read_colored(path))
        distinct, where = np.unique(codes, return_inverse=True)
        return snap(distinct, self.rules)[where.reshape(codes.shape)]


def snap(codes: np.ndarray, rules: MaskRules) -> np.ndarray:
    """Return the class of the nearest listed value, uint8, or ignore_index beyond the tolerance."""
    keys = np.array(list(rules.class_of), np.uint32)
    classes = np.array(list(rules.class_of.values()), np.uint8)
    nearest = np.zeros(len(codes), np.intp)
    smallest = np.full(len(codes), 1 << 16, np.int32)
    for index, key in enumerate(keys):  # one at a time: memory stays that of the codes
        distance = distances(codes, int(key), in_color=rules.encoding == "rgb")
        nearest[distance < smallest] = index
        smallest = np.minimum(smallest, distance)
    ignored = np.uint8(rules.ignore_index if rules.ignore_index is not None else 0)
    return np.where(smallest <= rules.tolerance, classes[nearest], ignored)


def distances(codes: np.ndarray, key: int, *, in_color: bool) -> np.ndarray:
    """Return the distances of values, or of colors by their largest channel, (n,)."""
    if not in_color:
        return np.abs(codes.astype(np.int32) - key)
    channels = [np.abs((codes >> s & 255).astype(np.int16) - (key >> s & 255)) for s in (16, 8, 0)]
    return np.maximum.reduce(channels)


def read_gray_mask(path: Path) -> np.ndarray:
    """Read one value a pixel, uint8 (H, W); RGB files pass where all three channels are equal.

    Raises:
        SwiftsegError: The file cannot be read, or holds colors.
    """
    if not is_colored(path):
        return read_values(path)
    rgb = read_colors(path)
    if rgb.ndim == 2:
        return rgb
    if not is_gray(rgb):
        raise SwiftsegError(
            f"{path}: expected an index mask, got colors; say `mask_encoding: rgb` with a palette, "
            "or save it with one channel that holds the class index"
        )
    return np.ascontiguousarray(rgb[..., 0])


def read_palette_mask(path: Path) -> np.ndarray:
    """Read the indices of a palette file, uint8 (H, W).

    Raises:
        SwiftsegError: The file cannot be read or has no palette.
    """
    if path.suffix.lower() in ARRAY_SUFFIXES:
        raise SwiftsegError(f"{path}: expected a mask with a palette, got an array")
    mode = read_header(path).mode
    if mode != "P":
        raise SwiftsegError(f"{path}: expected a mask with a palette, got {mode}")
    return read_mask(path)


def is_colored(path: Path) -> bool:
    """Whether a mask's file has several channels; raises SwiftsegError where it cannot be read."""
    if path.suffix.lower() in ARRAY_SUFFIXES:
        return read_array(path).ndim == 3
    header = read_header(path)
    return header.mode in COLOR_MODES or header.kind == WIDE_COLORS


def read_colors(path: Path) -> np.ndarray:
    """Read a mask of several channels as stored.

    Returns:
        uint8 (H, W, 3) RGB; or uint8 (H, W) where the mask is in the alpha channel, as all colors
        are one, or those of a photograph that is cut out.

    Raises:
        SwiftsegError: The file cannot be read, or its array holds no 8-bit colors.
    """
    if path.suffix.lower() in ARRAY_SUFFIXES:
        values = whole_values(read_array(path), path)
        if values.ndim != 3 or values.dtype != np.uint8:
            raise SwiftsegError(f"{path}: expected colors of 0 to 255")
        return values
    header = read_header(path)
    wide = read_16_bit_colors(path) if header.file_format == "PNG" else None
    if header.kind == WIDE_COLORS:
        wide = read_bands(path)
    if wide is not None:
        return _in_8_bits(wide, path)
    with opened(path) as image:
        image.load()
        if image.mode in ("RGBA", "LA", "PA"):
            channels = np.array(image.convert("RGBA"))
            rgb, alpha = channels[..., :3], channels[..., 3]
            is_alpha = (alpha != alpha[0, 0]).any() and not _are_flat(rgb, alpha)
            return np.ascontiguousarray(alpha if is_alpha else rgb)
        return rgb_array(image, str(path))


def _in_8_bits(colors: np.ndarray, path: Path) -> np.ndarray:
    """Bring uint16 (H, W, 3) colors to uint8: as they stand, or stretched from 8 bits before.

    Raises:
        SwiftsegError: 8 bits do not hold them.
    """
    highest = int(colors.max(initial=0))
    for factor in (1, 257, 256):
        if highest <= 255 * factor and not (colors % factor).any():
            return (colors // factor).astype(np.uint8)
    raise SwiftsegError(
        f"{path}: expected colors of 8 bits per channel, got 16 bits with values up to {highest}; "
        "save the mask with one channel that holds the class index"
    )


def _are_flat(rgb: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether colors are those of a mask: several, and most neighbors within it have the same."""
    if (rgb == rgb[:1, :1]).all():
        return False
    is_same = (rgb[:, 1:] == rgb[:, :-1]).all(axis=-1)[alpha[:, 1:] > 127]
    return not is_same.size or float(is_same.mean()) > FLAT_SHARE


def read_colored(path: Path) -> np.ndarray:
    """Read a mask by the colors that it shows, uint8 (H, W, 3): palettes and gray levels, too."""
    if path.suffix.lower() not in ARRAY_SUFFIXES and read_header(path).mode in ("1", "L", "P"):
        with opened(path) as image:
            return rgb_array(image, str(path))
    pixels = read_colors(path)
    return np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels


def is_gray(rgb: np.ndarray) -> bool:
    """Whether the three channels of uint8 (H, W, 3) are equal."""
    return bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all())


def to_codes(rgb: np.ndarray) -> np.ndarray:
    """Pack uint8 (..., 3) RGB into 24-bit codes, uint32 (...)."""
    red, green, blue = np.moveaxis(rgb, -1, 0).astype(np.uint32)
    return red << 16 | green << 8 | blue


def to_code(color: RGB) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def to_rgb(code: int) -> RGB:
    return code >> 16, code >> 8 & 255, code & 255
