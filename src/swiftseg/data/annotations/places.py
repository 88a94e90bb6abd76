"""Where an export's pictures lie, and what its parts are called."""

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.own.lists import is_file
from swiftseg.data.own.tree_reading import UNSPLIT
from swiftseg.data.own.words import SPLIT_OF_WORD, mask_evidence

MAX_DEPTH = 6  # of folders; exports have two or three
_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before an uploaded name


def split_of(*names: str) -> str:
    """Return the split that the first telling name tells: `train`, `val`, `test`, or `all`.

    `instances_train2017`, `Validation` and `my-test-set` tell; `default` does not.
    """
    for name in names:
        for part in re.split(r"[^a-z]+", name.lower()):
            if part in SPLIT_OF_WORD:
                return SPLIT_OF_WORD[part]
    return UNSPLIT


def files_below(root: Path, *suffixes: str) -> Iterator[Path]:
    """Yield the files below a folder that have one of the suffixes, sorted, but for hidden ones."""
    for at, folders, names in os.walk(root):
        depth = len(Path(at).relative_to(root).parts)
        kept = [name for name in folders if not name.startswith(".")] if depth < MAX_DEPTH else []
        folders[:] = sorted(kept)
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(at, name)


class PictureFinder:
    """Finds pictures by what an export calls them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, given: str, beside: Path) -> Path | None:
        """Return a picture's file, or None where there is none.

        Relative paths are tried from `beside`, and then from the export's folder.

        Raises:
            SwiftsegError: Several files have this name, and nothing tells which is meant.
        """
        path = plain_path(given)
        for folder in (beside, self.root, self.root / "images", beside.parent / "images"):
            if is_file(folder / path):
                return folder / path
        name = PurePosixPath(path).name
        names = (name, _UPLOAD_PREFIX.sub("", name))
        return next((file for n in names if (file := self._by_name(path, n, beside))), None)

    def find_spread(self, given: str) -> Path | None:
        """Return the only picture that a name spreads over: a folder and the stem's beginning."""
        there = self._spread.get(given, [])
        return there[0] if len(there) == 1 else None

    def _by_name(self, path: str, name: str, beside: Path) -> Path | None:
        """Return the file of a name whose folders agree best with a path, then with `beside`."""
        there = self._files.get(name, [])
        if len(there) < 2:
            return there[0] if there else None
        wanted = PurePosixPath(path).parts[::-1]
        agreeing = {file: _common_length(wanted, file.parts[::-1]) for file in there}
        best = [file for file in there if agreeing[file] == max(agreeing.values())]
        if len(best) > 1:
            best = [file for file in best if self._evidence(file) <= 0] or best
            near = {file: _common_length(file.parts, beside.parts) for file in best}
            best = [file for file in best if near[file] == max(near.values())]
        if len(best) > 1:
            raise SwiftsegError(f"{best[0]} and {best[1]} may both be {path}")
        return best[0]

    def _evidence(self, file: Path) -> float:
        """Return how much a file's folders say that it is a mask, which has its picture's name."""
        return mask_evidence(file.relative_to(self.root).with_suffix("").as_posix())

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = {}
        for path in files_below(self.root, *IMAGE_SUFFIXES):
            files.setdefault(path.name, []).append(path)
        return files

    @cached_property
    def _spread(self) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = {}
        for path in files_below(self.root, *IMAGE_SUFFIXES):
            for name in spread_names(path.relative_to(self.root)):
                files.setdefault(name, []).append(path)
        return files


def spread_names(path: Path) -> Iterator[str]:
    """Yield what a picture may be called by a folder and its stem: `day20_slice_0001`.

    Numbers such as sizes may follow in the stem.
    """
    cuts = [match.start() for match in re.finditer("_", path.stem)]
    for folder in path.parts[:-1]:
        yield from (f"{folder}_{path.stem[:cut]}" for cut in (*cuts, len(path.stem)))


def plain_path(given: str) -> str:
    """Return the path in what an export calls a picture, with plain slashes."""
    if "://" in given or given.startswith("/data/"):
        parts = urlsplit(given)
        local = parse_qs(parts.query).get("d")  # Label Studio's files on its own disk
        given = local[0] if local else unquote(parts.path).lstrip("/")
    return given.replace("\\", "/")


def name_of(given: str) -> str:
    """Return a picture's name in its split: its path without suffix and without steps upward."""
    path = PurePosixPath(re.sub(r"^[A-Za-z]:/", "", plain_path(given)))
    parts = [part for part in path.parts if part not in ("..", "/")]
    if not parts:
        raise SwiftsegError(f"expected the name of a picture, got {given!r}")
    return PurePosixPath(*parts).with_suffix("").as_posix()


def _common_length(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
