"""Where on the earth a GeoTIFF lies, as its tags say: copied as they are, never interpreted."""

from pathlib import Path
from typing import Any

from swiftseg.data.images.band_file import TIFF_SUFFIXES, is_tiff, open_tiff

# ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory, GeoDoubleParams and
# GeoAsciiParams of the GeoTIFF standard (OGC 19-008).
GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737)


# A tag's number, type, count of values, values, and whether it is written once, as tifffile has it.
Tag = tuple[int, int, int, Any, bool]


def has_geo_tags(path: Path) -> bool:
    """Whether a file is a GeoTIFF; reads no more than its header, by Pillow."""
    from swiftseg.data.images.header import tiff_tags

    if path.suffix.lower() not in TIFF_SUFFIXES or not path.is_file():
        return False
    return bool(set(GEO_TAGS) & tiff_tags(path))


def geo_tags(path: Path) -> list[Tag]:
    """Return the tags of a GeoTIFF; none for any other file.

    Raises:
        MissingExtraError: The file is a TIFF, and tifffile is not installed.
        SwiftsegError: The file is damaged.
    """
    if not is_tiff(path):
        return []
    with open_tiff(path) as tiff:
        tags = tiff.pages[0].aspage().tags
        found = (tags.get(code) for code in GEO_TAGS)
        return [(tag.code, int(tag.dtype), tag.count, tag.value, True) for tag in found if tag]
