"""Finding a dataset's tree below the folder a user names, and its lists of names."""

from collections.abc import Iterable
from pathlib import Path

from swiftseg.core import SwiftsegError


def find_tree(folder: Path, places: Iterable[str], *marks: str) -> Path | None:
    """Gives the first of the places below a folder that holds all marks, or None.

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


def existing_folder(folder: Path, places: Iterable[str], what: str) -> Path:
    """Gives the first of the places below a folder that is a folder.

    Raises:
        SwiftsegError: None is; the message names where it was looked for.
    """
    looked_for = [folder / place for place in places]
    for path in looked_for:
        if path.is_dir():
            return path
    raise SwiftsegError(f"no {what}; looked for the folder {' and '.join(map(str, looked_for))}")


def read_names(path: Path) -> list[str]:
    """Reads a list of names, one at the beginning of each line.

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
