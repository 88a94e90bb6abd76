"""Finding a dataset's tree below the folder a user names, and its lists of names."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import IMAGE_SUFFIXES

PROBED_NAMES = 100


def find_tree(folder: Path, places: Iterable[str], *marks: str) -> Path | None:
    """Return the first of the places below a folder that holds all marks, or None.

    Args:
        folder: What the user names.
        places: Where the tree may begin, such as `.` and `VOCdevkit/VOC2012`.
        marks: Files or folders that tell the tree.
    """
    for place in places:
        root = folder / place
        if all((root / mark).exists() for mark in marks):
            return root
    return None


def are_named(images: Path, pattern: str) -> bool:
    """Whether a folder has images and their stems are all as a data set names its frames.

    Args:
        images: The folder; images in folders within it count.
        pattern: A regular expression for the whole stem. The first `PROBED_NAMES` images decide.
    """
    names = (
        name
        for _, _, names in os.walk(images)
        for name in names
        if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")
    )
    stems = [Path(name).stem for name, _ in zip(names, range(PROBED_NAMES), strict=False)]
    return bool(stems) and all(re.fullmatch(pattern, stem) for stem in stems)


def existing_folder(folder: Path, places: Iterable[str], what: str) -> Path:
    """Return the first of the places below a folder that is a folder.

    Raises:
        SwiftsegError: None is; the message names where it was looked for.
    """
    looked_for = [folder / place for place in places]
    for path in looked_for:
        if path.is_dir():
            return path
    raise SwiftsegError(f"no {what}; looked for the folder {' and '.join(map(str, looked_for))}")


def read_names(path: Path) -> list[str]:
    """Read a list of names, one at the beginning of each line.

    Raises:
        SwiftsegError: The file is missing, no text, or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SwiftsegError(f"{path}: expected the list of a split; cannot read it") from error
    names = [line.split()[0] for line in lines if line.strip()]
    if not names:
        raise SwiftsegError(f"{path}: the list of the split is empty")
    return names
