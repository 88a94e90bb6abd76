"""Pictures whose bands are files of their own: red, green and near infrared; B02, B03 and B04."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from swiftseg.core import SwiftsegError
from swiftseg.data.images.joined_bands import read_joined_bands

MIN_BANDS = 3
_BAND = re.compile(
    r"(?i)(?<![a-z\d])(?:red_?edge\d?|red|green|blue|nir\d?|swir\d?|tir\d?|coastal|re|r|g|b"
    r"|b\d{1,2}a?|band_?\d+|bqa|qa\d*|scl|aot|wvp)(?![a-z\d])"
)
_QUALITY = re.compile(r"bqa|qa\d*|scl|aot|wvp")  # lies among the bands, and is none
_COLORS = {"red": 0, "r": 0, "green": 1, "g": 1, "blue": 2, "b": 2, "nir": 3}
_NUMBERED_COLORS = {4: 0, 3: 1, 2: 2, 8: 3}  # of Sentinel-2; 4, 3 and 2 are Landsat 8's, too
_FIELDS = re.compile(r"(\{[^{}]*\})")


class BandsApart(NamedTuple):
    """Pictures whose bands are files of their own.

    Attributes:
        bands: The names of the bands that most pictures have, in lower case and in order.
        pictures: The files of each picture by band; some may lack bands.
    """

    bands: tuple[str, ...]
    pictures: list[dict[str, str]]


def find_bands_apart(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the files that differ in the name of a band alone, by each of these files."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if _BAND.search(path):
            groups[_BAND.sub("*", path)].append(path)
    return {path: group for group in groups.values() if len(group) >= MIN_BANDS for path in group}


def bands_apart_text(root: Path, group: Iterable[str]) -> str:
    """Tell what becomes of the bands of a picture, and what to do."""
    first, *others = sorted(group)
    named = _by_band([first, *others])
    bands = bands_in_order(named)
    try:
        read_joined_bands([root / named[band] for band in bands])
        reason = "they are not joined"
    except SwiftsegError as error:
        reason = f"they are not joined: {error}"
    text = f"{root / first} and {', '.join(others)} look like the bands of one picture; {reason}"
    if not named:
        return f"{text}. Stack the bands of each picture in one TIFF or one .npy"
    return f"{text}. In dataset.yaml, {{band:{'|'.join(bands)}}} in an image pattern joins them"


def find_joinable(root: Path, paths: Iterable[str]) -> BandsApart | None:
    """Find pictures whose bands are files of one size and type; None where there are none.

    Bands of another size or type than most are left out.
    """
    groups = {id(group): group for group in find_bands_apart(paths).values()}
    named = [by_band for group in groups.values() if (by_band := _by_band(group))]
    if not named:
        return None
    usual = Counter(frozenset(by_band) for by_band in named).most_common(1)[0][0]
    pictures = [by_band for by_band in named if len(usual & by_band.keys()) > 1]
    first = next(by_band for by_band in pictures if usual == by_band.keys())
    alike: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for band in bands_in_order(band for band in usual if not _QUALITY.fullmatch(band)):
        try:
            pixels = read_joined_bands([root / first[band]])
        except SwiftsegError:
            continue
        alike[pixels.shape, pixels.dtype].append(band)
    bands = max(alike.values(), key=len, default=[])
    return BandsApart(tuple(bands), pictures) if len(bands) >= MIN_BANDS else None


def with_bands(pattern: str, bands: Sequence[str]) -> str:
    """Return the pattern of all bands from the pattern of the first one."""
    found = iter((f"{{band:{'|'.join(bands)}}}",))

    def named(match: re.Match[str]) -> str:
        return next(found, "{band}") if match.group().lower() == bands[0] else match.group()

    parts = _FIELDS.split(pattern)
    return "".join(part if part[:1] == "{" else _BAND.sub(named, part) for part in parts)


def bands_in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Order bands as red, green, blue, near infrared, and the others by their numbers and names."""
    numbers = {name: re.fullmatch(r"(?:b|band_?)(\d+)", name) for name in names}
    number_of = {name: int(found[1]) for name, found in numbers.items() if found}
    has_colors = {2, 3, 4} <= set(number_of.values())

    def rank(name: str) -> tuple[int, list[int], str]:
        number = number_of.get(name, -1)
        color = _NUMBERED_COLORS.get(number) if has_colors else None
        digits = [int(digits) for digits in re.findall(r"\d+", name)]
        return _COLORS.get(name, 4) if color is None else color, digits, name

    return tuple(sorted(numbers, key=rank))


def _by_band(group: Sequence[str]) -> dict[str, str]:
    """Return the files of one picture by the band in their names; nothing if it is unclear."""
    columns = list(zip(*([word.lower() for word in _BAND.findall(p)] for p in group), strict=True))
    varying = {column for column in columns if len(set(column)) > 1}
    if len(varying) != 1:
        return {}
    names = varying.pop()
    return dict(zip(names, group, strict=True)) if len(set(names)) == len(names) else {}
