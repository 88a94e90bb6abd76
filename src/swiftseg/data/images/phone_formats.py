"""AVIF and HEIC, which phones write: recognized by their first bytes, read where a reader is."""

from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from swiftseg.core import MissingExtraError, SwiftsegError

SUFFIXES = (".avif", ".heic", ".heif")

# Bytes 4 to 12 of the file: a box of the type `ftyp`, and its brand.
_AVIF = (b"ftypavif", b"ftypavis")
_HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypheim", b"ftypheis", b"ftypmif1", b"ftypmsf1")


def phone_format(path: Path | str, data: BinaryIO | None) -> tuple[str, ...]:
    """Return the name of Pillow's reader for a file in one of these formats, else nothing.

    Raises:
        MissingExtraError: It is a HEIC file, and its reader is not installed.
        SwiftsegError: It is an AVIF file, and this Pillow reads none.
        OSError: The file cannot be opened.
    """
    brand = _brand(path, data)
    if brand in _AVIF:
        if not _reads_avif():
            raise SwiftsegError(f"{path}: this Pillow reads no AVIF; pip install 'pillow>=11.3'")
        return ("AVIF",)
    if brand in _HEIC:
        if not _reads_heic():
            raise MissingExtraError(f"{path}: reading HEIC", "heic")
        return ("HEIF",)
    return ()


def _brand(path: Path | str, data: BinaryIO | None) -> bytes:
    if data is not None:
        begin = data.read(12)
        data.seek(0)
        return begin[4:]
    with Path(path).open("rb") as file:
        return file.read(12)[4:]


@cache
def _reads_avif() -> bool:
    from PIL import features

    if not features.check("avif"):
        return False
    Image.init()  # the reader is none of the common ones
    return True


@cache
def _reads_heic() -> bool:
    # pi-heif's wheel bundles libheif and libde265 (LGPL), which decode; pillow-heif's has x265
    # (GPL) as well, for writing.
    try:
        from pi_heif import register_heif_opener
    except ModuleNotFoundError:
        return False
    register_heif_opener()
    return True
