"""All files below a folder, walked once."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.data.images.array_file import BINARY_SUFFIXES, TEXT_SUFFIX, is_text_array
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.own.words import SPLIT_OF_WORD, words_of

TABLE_SUFFIXES = (".txt", ".csv", ".tsv", ".json", ".lst", ".list")
# How the formats that can be read begin.
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP")
LIST_WORDS = frozenset(("list", "pairs", "index", "meta", "metadata", "split", "splits", "files"))
NOT_DATA = {"__MACOSX", "@eaDir", "data_check", "__pycache__", "lost+found"}
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file that may hold an image or a mask.

    Attributes:
        path: Below the root, with `/` between folders.
        suffix: In lower case, with the dot; empty where there is none.
    """

    path: str
    folders: tuple[str, ...]
    stem: str
    suffix: str


@dataclass
class FileTree:
    """What lies below a folder.

    Attributes:
        images: Files that may hold images or masks, sorted by path.
        tables: Paths of text files that may be lists, below the root.
        others: All other files, counted by their suffix.
        linked_twice: Folders that several links lead to; each is read once.
    """

    root: Path
    images: list[TreeFile] = field(default_factory=list[TreeFile])
    tables: list[str] = field(default_factory=list[str])
    others: Counter[str] = field(default_factory=Counter[str])
    linked_twice: list[str] = field(default_factory=list[str])


def walk_tree(root: Path) -> FileTree:
    """List the files below a folder; links to folders are followed, each folder once."""
    tree = FileTree(root)
    for folders, names in _folders_below(root, tree):
        prefix = "".join(f"{name}/" for name in folders)
        for name in names:
            path = prefix + name
            stem, suffix = split_suffix(name)
            is_array = suffix in BINARY_SUFFIXES
            is_array |= suffix == TEXT_SUFFIX and is_text_array(root / path)
            if suffix in IMAGE_SUFFIXES or is_array:
                tree.images.append(TreeFile(path, folders, stem, suffix))
            elif suffix in TABLE_SUFFIXES:
                tree.tables.append(path)
            elif not suffix and _begins_as_image(root / path):
                tree.images.append(TreeFile(path, folders, name, ""))
            else:
                tree.others[suffix or "no suffix"] += 1
    tree.images.sort(key=lambda file: file.path)
    tree.tables.sort(key=_listing_rank)
    return tree


def _listing_rank(path: str) -> tuple[bool, int, str]:
    """Order tables: those first that are named like lists, then those higher up."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    is_list = bool(words_of(stem) & (SPLIT_OF_WORD.keys() | LIST_WORDS))
    return not is_list, path.count("/"), path


def split_suffix(name: str) -> tuple[str, str]:
    """Return a file's stem and its suffix in lower case; `a.0017` has none."""
    stem, dot, suffix = name.rpartition(".")
    is_suffix = bool(stem) and _SUFFIX.fullmatch(dot + suffix)
    return (stem, dot + suffix.lower()) if is_suffix else (name, "")


def _folders_below(root: Path, tree: FileTree) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield each folder's path below the root and the names of its files, real folders first."""
    seen: set[str] = set()
    waiting: list[tuple[str, ...]] = [()]
    links: list[tuple[str, ...]] = []
    while waiting or links:
        folders = waiting.pop() if waiting else links.pop()
        place = root.joinpath(*folders)
        real = os.path.realpath(place)
        if real in seen:
            tree.linked_twice.append("/".join(folders))
            continue
        seen.add(real)
        files: list[str] = []
        try:
            listed = list(os.scandir(place))
        except OSError:
            tree.others["folders that cannot be opened,"] += 1
            continue
        for entry in sorted(listed, key=lambda entry: entry.name, reverse=True):
            if entry.name.startswith(".") or entry.name in NOT_DATA:
                continue
            if entry.is_dir():
                (links if entry.is_symlink() else waiting).append((*folders, entry.name))
            else:
                files.append(entry.name)
        yield folders, files[::-1]


def _begins_as_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_MAGIC) or re.match(rb"P[1-6]\s", head) is not None
