"""Pictures whose bands are files of their own: red, green and near infrared; B02, B03 and B04."""

import re
from collections import defaultdict
from collections.abc import Iterable

MIN_BANDS = 3
_BAND = re.compile(
    r"(?i)(?<![a-z\d])(?:red|green|blue|nir|swir\d?|rededge|re|r|g|b|b\d{1,2}a?|band_?\d+)(?![a-z\d])"
)


def find_bands_apart(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the files that differ in the name of a band alone, by each of these files."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if _BAND.search(path):
            groups[_BAND.sub("*", path)].append(path)
    return {path: group for group in groups.values() if len(group) >= MIN_BANDS for path in group}


def bands_apart_text(group: Iterable[str]) -> str:
    """Tell what becomes of the bands of a picture, and what to do."""
    first, *others = sorted(group)
    return (
        f"{first} and {', '.join(others)} look like the bands of one picture; files of one band "
        "are not joined. Stack the bands of each picture in one TIFF or one .npy"
    )
