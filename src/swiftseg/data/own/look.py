"""Whether a file looks like a photograph or like a mask: told by some of its pixels."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, read_array
from swiftseg.data.images.band_file import read_bands, read_picture
from swiftseg.data.images.header import BandsError, has_more_bands, opened, orientation_of

CROP = 512  # pixels of height and width that are looked at
THUMBNAIL_HW = (24, 24)
MAIN_SHARE = 0.005  # of the pixels
# Of gray JPEGs: masks of up to four classes, quality 15 to 95, have 0.76 of their pixels near such
# levels, and 0.54 of those beside the first; smooth and noisy photographs up to 0.58 and 0.45.
MAX_LEVELS, NEAR_LEVEL, LEVELS_APART, LEVEL_SHARE = 8, 4, 16, 0.53
MANY = 256  # more distinct values than labels have


@dataclass(frozen=True)
class Look:
    """What some pixels of a file show.

    Attributes:
        size_hw: As stored.
        maskness: 0 for a photograph to 1 for a mask; None where nothing can be told.
        num_values: Distinct values or colors in the part that was looked at.
        num_main: Those of them that are more than soft edges.
        foreground: bool `THUMBNAIL_HW`, where the values are not the most frequent one.
        digest: Of the values.
        gray: uint8 `THUMBNAIL_HW`, some of the pixels as gray, to tell copies by.
        turned_hw: The size after the EXIF orientation.
    """

    size_hw: tuple[int, int]
    turned_hw: tuple[int, int]
    maskness: float | None
    num_values: int
    num_main: int
    foreground: np.ndarray
    digest: int
    gray: np.ndarray


def look_at(path: Path) -> Look | None:
    """Look at a file's pixels; None where it cannot be read."""
    try:
        seen = _seen(path)
    except SwiftsegError:
        return None
    crop, small = (_codes(pixels, lossy=seen.lossy) for pixels in (seen.crop, seen.thumbnail))
    values, counts = np.unique(crop, return_counts=True)
    gray = seen.thumbnail if seen.thumbnail.ndim == 2 else seen.thumbnail.mean(axis=-1)
    foreground = small != values[np.argmax(counts)]
    height, width = seen.size_hw
    turned_hw = (width, height) if seen.orientation > 4 else seen.size_hw
    maskness = None
    if len(values) > 1:
        maskness = (
            _lossy_maskness(values, counts, crop, seen.crop)
            if seen.lossy
            else _maskness(values, counts, crop, marked=seen.marked)
        )
    num_main = int((counts >= MAIN_SHARE * crop.size).sum())
    digest = zlib.crc32(small.tobytes())
    return Look(seen.size_hw, turned_hw, maskness, len(values), num_main, foreground, digest, gray)


class _Seen(NamedTuple):
    """Some pixels as stored.

    Attributes:
        crop: The middle, up to `CROP` pixels of height and width.
        thumbnail: `THUMBNAIL_HW` pixels, evenly spaced.
        marked: Whether the format speaks for a mask.
    """

    size_hw: tuple[int, int]
    crop: np.ndarray
    thumbnail: np.ndarray
    marked: bool = False
    lossy: bool = False
    orientation: int = 1


def _seen(path: Path) -> _Seen:
    if path.suffix.lower() in ARRAY_SUFFIXES:
        try:
            return _seen_of(read_array(path))._replace(marked=True)
        except SwiftsegError:
            return _seen_of(read_picture(path)[..., 0])
    try:
        with opened(path) as image:
            if has_more_bands(image):
                raise BandsError(f"{path}: more bands than RGB")
            return _seen_in(image)
    except BandsError:  # a band is enough to tell a photograph
        return _seen_of(read_bands(path)[..., 0])


def _seen_of(pixels: np.ndarray) -> _Seen:
    size_hw = (pixels.shape[0], pixels.shape[1])
    left, top, right, bottom = _middle(size_hw)
    return _Seen(size_hw, pixels[top:bottom, left:right], pixels[np.ix_(*_spread(size_hw))])


def _seen_in(image: Image.Image) -> _Seen:
    """Take the pixels out of the picture: all of it as an array is its memory twice more."""
    rows, columns = _spread((image.height, image.width))
    lines = [image.crop((0, row, image.width, row + 1)) for row in rows.tolist()]
    return _Seen(
        (image.height, image.width),
        _array(image.crop(_middle((image.height, image.width)))),
        np.stack([_array(line)[0, columns] for line in lines]),
        marked=image.mode in ("1", "P") and image.format != "GIF",
        lossy=image.format == "JPEG",
        orientation=orientation_of(image),
    )


def _array(image: Image.Image) -> np.ndarray:
    colored = image.mode in ("CMYK", "YCbCr", "PA", "LAB")
    return np.array(image.convert("RGB") if colored else image)


def _middle(size_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom of the middle."""
    top, left = (max(0, (side - CROP) // 2) for side in size_hw)
    return left, top, min(left + CROP, size_hw[1]), min(top + CROP, size_hw[0])


def _spread(size_hw: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Return rows and columns, evenly spaced."""
    return tuple(
        np.linspace(0, side - 1, cells).astype(int)
        for side, cells in zip(size_hw, THUMBNAIL_HW, strict=True)
    )


def _codes(pixels: np.ndarray, *, lossy: bool) -> np.ndarray:
    """Return one number a pixel, (H, W), for colors of up to four channels as well.

    Of lossy ones the steps of 32 count.
    """
    pixels = pixels // 32 if lossy else pixels
    if pixels.ndim == 2:
        return pixels
    codes = np.zeros(pixels.shape[:2], np.int64)
    for channel in range(min(pixels.shape[2], 4)):
        codes = codes << 8 | pixels[..., channel].astype(np.int64)
    return codes


def _maskness(values: np.ndarray, counts: np.ndarray, crop: np.ndarray, *, marked: bool) -> float:
    """Judge by how few values there are, how much they cover and how flat the regions are.

    What is most frequent is left aside for the most: a scan has a black background as a mask has.
    """
    num_values = len(counts)
    if num_values == 2:
        return 0.97
    ordered = np.sort(counts)[::-1]
    covered = ordered[:32].sum() / ordered.sum()
    rest = ordered[1:]
    is_same = crop[1:, 1:] == crop[:-1, :-1]
    is_inside = crop[1:, 1:] != values[np.argmax(counts)]
    flat = float(is_same.mean()) if is_same.size else 1.0
    flat_inside = float(is_same[is_inside].mean()) if is_inside.any() else 1.0
    is_plain = rest[:16].sum() > 0.5 * rest.sum() or flat_inside > 0.5
    if covered > 0.98 and (flat > 0.75 or num_values <= 16) and (num_values <= 48 or is_plain):
        return 0.95
    if covered > 0.9 and flat > 0.6 and is_plain:
        return 0.85
    if num_values <= 4 * MANY and flat > 0.85 and flat_inside > 0.5:  # ids of many instances
        return 0.75
    if covered > 0.6 and flat > 0.5 and is_plain:  # blended edges
        return 0.7
    return 0.3 if marked and flat > 0.3 else 0.05


def _lossy_maskness(
    values: np.ndarray, counts: np.ndarray, crop: np.ndarray, pixels: np.ndarray
) -> float:
    """Judge a JPEG by its values in steps of 32: a mask's regions are flat but for their edges.

    What is most frequent is left aside: a photograph may be cut out on a plain background. A gray
    photograph of little contrast has few such steps, too, and is told by its `pixels`.
    """
    if pixels.ndim == 2 and not _has_levels(pixels):
        return 0.05
    ordered = np.sort(counts)[::-1]
    covered = ordered[:8].sum() / max(ordered.sum(), 1)
    is_same = crop[1:, 1:] == crop[:-1, :-1]
    is_inside = crop[1:, 1:] != values[np.argmax(counts)]
    flat = float(is_same.mean()) if is_same.size else 1.0
    flat_inside = float(is_same[is_inside].mean()) if is_inside.any() else 1.0
    return 0.8 if covered > 0.95 and flat > 0.85 and flat_inside > 0.5 else 0.05


def _has_levels(gray: np.ndarray) -> bool:
    """Whether most of a gray JPEG is near a few levels, and most of what is not near the first."""
    counts = np.bincount(gray.ravel(), minlength=256)
    left, is_near = counts.copy(), np.zeros(256, bool)
    levels: list[int] = []
    for _ in range(MAX_LEVELS):
        level = int(left.argmax())
        levels.append(level)
        is_near[max(0, level - NEAR_LEVEL) : level + NEAR_LEVEL + 1] = True
        left[max(0, level - LEVELS_APART) : level + LEVELS_APART + 1] = 0
    beside = counts.copy()
    beside[max(0, levels[0] - NEAR_LEVEL) : levels[0] + NEAR_LEVEL + 1] = 0
    shares = (part[is_near].sum() / max(part.sum(), 1) for part in (counts, beside))
    return all(share > LEVEL_SHARE for share in shares)
