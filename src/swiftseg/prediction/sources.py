"""What a prediction is pointed at: images, folders, globs, lists, videos, cameras."""

import glob
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.shown_text import shown
from swiftseg.data.images.array_file import BINARY_SUFFIXES
from swiftseg.data.images.header import IMAGE_SUFFIXES, is_animated
from swiftseg.data.images.web_picture import is_picture, is_web_address
from swiftseg.data.own.file_tree import NOT_DATA
from swiftseg.inference.video import VIDEO_SUFFIXES, is_camera, is_stream
from swiftseg.prediction.outputs import marked_folders

LIST_SUFFIX = ".txt"
OUTPUT_VIDEO_SUFFIX = ".mp4"


@dataclass(frozen=True)
class Source:
    """One image, video, camera or stream.

    Attributes:
        given: The file, `camera:N`, or an address.
        name: What its outputs are called, without a suffix; may hold folders.
    """

    given: str
    name: str
    is_video: bool

    @property
    def told(self) -> str:
        """What results and messages call it: an address without user, password and token."""
        return shown(self.given) if is_stream(self.given) else self.given


def find_sources(
    inputs: Sequence[str], *, leave_out: Sequence[Path] = (), shard: tuple[int, int] = (1, 1)
) -> list[Source]:
    """Expand inputs in their order, each file once; every source gets a name of its own.

    A file is called by its stem, a video that is no .mp4 by its whole name. Folders are searched
    with their subfolders for images (by suffix, hidden ones left out), which keep their subfolders
    in their names. A .txt file is a list of inputs, one a line, and `-` is such a list on stdin.
    What earlier predictions and `data check` wrote below a folder is left out. Where two names
    would be the same, they keep the folders that tell them apart, and then their suffixes; so do
    videos whose name is a folder of other names.

    Args:
        inputs: What the user has named.
        leave_out: Folders in which nothing is looked for, such as those that outputs go to.
        shard: (i, n) keeps every n-th source, the i-th of them first; names do not depend on it.

    Raises:
        SwiftsegError: A folder or a list holds no image, or a glob matches nothing.
        UsageError: Two sources cannot be told apart.
    """
    kept_out = tuple(folder.resolve() for folder in leave_out)
    expanded = (source for text in inputs for source in _expand(text, kept_out))
    sources = {source.given: source for source in expanded}
    return _told_apart(list(sources.values()))[shard[0] - 1 :: shard[1]]


def parse_shard(text: str) -> tuple[int, int]:
    """Read a shard such as 2/8 as (2, 8); raise UsageError where it is none."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"expected --shard as I/N with I from 1 to N, such as 2/8, got {text!r}")
    return int(match[1]), int(match[2])


def check_writable(folder: Path) -> None:
    """Make a folder where it is missing and try it.

    Raises:
        SwiftsegError: It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SwiftsegError(f"cannot write to the folder {folder}: {error.strerror}") from error


def _expand(text: str, kept_out: tuple[Path, ...]) -> Iterable[Source]:
    path = Path(text)
    if text == "-" or (path.suffix.lower() == LIST_SUFFIX and path.is_file()):
        listed = _listed(text)
        return [source for line in listed for source in _expand(line, kept_out)]
    if is_camera(text):
        number = text.removeprefix("camera:")
        return [Source(f"camera:{number}", f"camera-{number}", is_video=True)]
    if is_stream(text):
        is_video = not (is_web_address(text) and is_picture(text))
        return [Source(text, _stream_name(text), is_video=is_video)]
    if path.is_dir():
        return _images_below(path, kept_out)
    if not path.exists() and glob.has_magic(text):
        matches = [Path(match) for match in glob.glob(text, recursive=True)]  # noqa: PTH207
        # A loop of links gives each file again and again, under ever longer names.
        by_file = {match.resolve(): match for match in reversed(matches) if match.is_file()}
        files = sorted(path for file, path in by_file.items() if not _is_below(file, kept_out))
        if not files:
            raise SwiftsegError(f"no file matches {text}")
        return [_from_file(file) for file in files]
    return [_from_file(path)]


def _listed(text: str) -> list[str]:
    """Return the lines of a list of inputs, without empty ones."""
    try:
        content = sys.stdin.read() if text == "-" else Path(text).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SwiftsegError(f"{text}: cannot be read as a list of inputs ({error})") from error
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not lines:
        raise SwiftsegError(f"{'stdin' if text == '-' else text}: an empty list of inputs")
    if any(line == "-" or Path(line).suffix.lower() == LIST_SUFFIX for line in lines):
        raise SwiftsegError(f"{text}: a list of inputs may not name another list")
    return lines


def _stream_name(address: str) -> str:
    """Name a stream by the last part of its path, or by its host."""
    parts = urlsplit(address)
    names = (PurePosixPath(unquote(parts.path)).stem, parts.hostname or "", "stream")
    safe = (re.sub(r"[^\w.-]", "-", name).lstrip(".") for name in names)
    return next(name for name in safe if name)


def _images_below(folder: Path, kept_out: tuple[Path, ...]) -> list[Source]:
    kept_out += tuple(written.resolve() for written in marked_folders(folder))
    found = _files_below(folder, IMAGE_SUFFIXES, kept_out)
    found = found or _files_below(folder, BINARY_SUFFIXES, kept_out)  # pictures kept as arrays
    if not found:
        raise SwiftsegError(f"no images in {folder} (looked for {', '.join(IMAGE_SUFFIXES)})")
    return [
        Source(str(path), str(path.relative_to(folder).with_suffix("")), is_video=is_video(path))
        for path in found
    ]


def _files_below(folder: Path, suffixes: tuple[str, ...], kept_out: tuple[Path, ...]) -> list[Path]:
    """List the files below a folder that have one of the suffixes, but for hidden ones."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes
        and not any(p.startswith(".") or p in NOT_DATA for p in path.relative_to(folder).parts)
        and path.is_file()
        and not _is_below(path.resolve(), kept_out)
    ]


def _is_below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _from_file(path: Path) -> Source:
    a_video = is_video(path)
    # All outputs of videos are .mp4: those of another format keep its suffix, in any later run too.
    keeps_suffix = a_video and path.suffix.lower() != OUTPUT_VIDEO_SUFFIX
    return Source(str(path), path.name if keeps_suffix else path.stem, a_video)


def is_video(path: Path) -> bool:
    """Whether a file is a video, as a GIF of several frames is."""
    suffix = path.suffix.lower()
    return suffix in VIDEO_SUFFIXES or (suffix == ".gif" and path.is_file() and is_animated(path))


def _told_apart(sources: list[Source]) -> list[Source]:
    for rename in (_with_folders, _with_suffix):
        counts = Counter(source.name for source in sources)
        alike = [source for source in sources if counts[source.name] > 1]
        if not alike:
            break
        root = os.path.commonpath([Path(source.given).absolute().parent for source in alike])
        sources = [
            rename(source, root) if counts[source.name] > 1 else source for source in sources
        ]
    above = folders_above(source.name for source in sources)
    sources = [
        _with_suffix(source, "") if source.is_video and source.name in above else source
        for source in sources
    ]
    counts = Counter(source.name for source in sources)
    above = folders_above(counts)
    for one in sources:
        if counts[one.name] > 1 or (one.is_video and one.name in above):
            twins = (s.given for s in sources if f"{s.name}/".startswith(f"{one.name}/"))
            raise UsageError(
                f"{' and '.join(twins)} would write the same files; predict them one by one"
            )
    return sources


def folders_above(names: Iterable[str]) -> set[str]:
    """Return the folders that names hold; a video's label maps need one of their own."""
    nearest = {os.path.dirname(name) for name in names}  # noqa: PTH120 of names, of which there are many
    return {str(folder) for name in nearest for folder in (PurePath(name), *PurePath(name).parents)}


def _with_folders(source: Source, root: str) -> Source:
    path = os.path.relpath(Path(source.given).absolute(), root)
    return replace(source, name=str(Path(path).with_name(Path(source.name).name)))


def _with_suffix(source: Source, root: str) -> Source:
    del root
    return replace(source, name=source.name + Path(source.given).suffix)
