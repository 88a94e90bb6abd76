"""What a job labels: every image, table row and range of video frames, by a name of its own."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from swiftseg.core import MissingExtraError, SwiftsegError, UsageError
from swiftseg.core.shown_text import as_utf8, utf8, without_secrets
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.inference.video import VIDEO_SUFFIXES, is_camera, is_stream
from swiftseg.inference.video_ranges import frame_ranges
from swiftseg.labeling.picture_tables import TABLE_SUFFIXES, path_rows, picture_rows, table_column
from swiftseg.labeling.place import (
    RemotePlace,
    is_remote,
    open_place,
    opened_if_remote,
    read_address,
)
from swiftseg.prediction.sources import LIST_SUFFIX, find_sources, folders_above, is_video

Kind = Literal["image", "row", "frames"]


@dataclass(frozen=True, slots=True)
class Input:
    """One piece of a source that is labeled or fails by itself.

    Attributes:
        name: What its results are called; may hold folders. Of a range of frames, the video's.
        address: The file that holds it.
        kind: An image's file, a row of a table with the image's bytes, or frames of a video.
        at: Of a row, its row group and its number in that; of frames, the first one's number and
            the time stamps of all, or nothing where a video cannot be cut into ranges.
        column: Of a row, the table's column.
    """

    name: str
    address: str
    kind: Kind = "image"
    at: tuple[int, ...] = ()
    column: str = ""

    @property
    def key(self) -> str:
        """What a manifest calls it: no other input has the same."""
        if self.kind != "frames" or not self.at:
            return self.name
        return f"{self.name}#{self.at[0]:06d}-{self.at[0] + self.num_frames - 1:06d}"

    @property
    def num_frames(self) -> int:
        return len(self.at) - 1 if self.kind == "frames" and self.at else 1

    def to_json(self) -> str:
        """Return one line of JSON, from which `read_input` makes the same input.

        Of an address, user, password and query are left out: a job's files hold no secrets.
        """
        address = without_secrets(self.address)
        return json.dumps([self.name, address, self.kind, self.at, self.column])


def read_input(line: str) -> Input:
    """Read the line that `Input.to_json` made."""
    fields: list[Any] = json.loads(line)
    return Input(fields[0], fields[1], fields[2], tuple(fields[3]), fields[4])


def list_inputs(
    source: str, *, column: str | None, frames: int, leave_out: Sequence[str] = ()
) -> list[Input]:
    """Return everything that a source holds, in order, each file once.

    Args:
        source: A file, folder or glob, a list (.txt), a table (.csv, .parquet), or an address of
            one of these.
        column: Of a table, the column of paths or of images; None finds it.
        frames: How many frames of a video are one input.
        leave_out: Folders or their addresses, in which nothing is looked for, such as those of the
            job's results.

    Raises:
        SwiftsegError: There is nothing to label, or something that was named cannot be read.
        UsageError: The source is a live stream, or a table has no such column.
    """
    found = list(_inputs(source, column, frames, leave_out))
    if not found:
        raise SwiftsegError(f"{source}: no images to label ({', '.join(IMAGE_SUFFIXES)})")
    return _told_apart(list(dict.fromkeys(found)))


def _inputs(
    source: str, column: str | None, frames: int, leave_out: Sequence[str]
) -> Iterator[Input]:
    suffix = PurePosixPath(source).suffix.lower()
    if is_camera(source) or (is_stream(source) and suffix not in (*TABLE_SUFFIXES, LIST_SUFFIX)):
        raise UsageError(f"{source} is a camera or a stream; label it with swiftseg predict")
    if suffix in TABLE_SUFFIXES:
        yield from _of_table(source, column, frames)
    elif column is not None:
        raise UsageError(f"--column is for tables ({', '.join(TABLE_SUFFIXES)}), not for {source}")
    elif suffix == LIST_SUFFIX:
        yield from _of_list(source, frames)
    elif is_remote(source):
        yield from _of_address(source, frames, leave_out)
    elif not Path(source).exists() and not _has_magic(source):
        raise SwiftsegError(f"no such file or folder: {source}")
    else:
        for found in find_sources([source], leave_out=list(map(Path, leave_out))):
            yield from _of_file(found.name, found.given, frames)


def _of_file(name: str, address: str, frames: int) -> Iterator[Input]:
    """Yield an image as one input, and a video as its ranges of frames.

    Files of this machine are named by their whole paths, which workers elsewhere share or not. A
    video that cannot be cut is one input, which fails when it is read.
    """
    name = as_utf8(name)
    address = address if is_remote(address) else str(Path(address).absolute())
    if not _is_video(address):
        yield Input(name, address)
        return
    try:
        with opened_if_remote(address) as data:
            ranges = list(frame_ranges(address, frames, data))
    except MissingExtraError:
        raise
    except SwiftsegError:
        yield Input(name, address, "frames")
        return
    for first, stamps in ranges:
        yield Input(name, address, "frames", (first, *stamps))


def _is_video(address: str) -> bool:
    if is_remote(address):
        return PurePosixPath(address).suffix.lower() in VIDEO_SUFFIXES
    return is_video(Path(address))


def _of_address(source: str, frames: int, leave_out: Sequence[str]) -> Iterator[Input]:
    """Yield what lies at an address: a file, the files that a glob matches, or a folder's."""
    fixed = re.split(r"[*?\[]", source, maxsplit=1)[0].rpartition("/")[0]
    place = RemotePlace(source.rstrip("/") if not _has_magic(source) else fixed)
    open_place(place.address)  # which says what is not installed
    if _has_magic(source):
        paths = place.matches(source[len(fixed) + 1 :])
    elif PurePosixPath(source).suffix.lower() in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES):
        yield from _of_file(PurePosixPath(source).stem, source, frames)
        return
    else:
        paths = [p for p in place.files("") if PurePosixPath(p).suffix.lower() in IMAGE_SUFFIXES]
    for path in paths:
        name = str(PurePosixPath(path).with_suffix(""))
        address = f"{place.address}/{path}"
        if not address.startswith(tuple(f"{folder}/" for folder in leave_out)):
            yield from _of_file(name, address, frames)


def _of_list(source: str, frames: int) -> Iterator[Input]:
    text = read_address(source).decode("utf-8-sig", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    yield from _of_paths(lines, "", frames)


def _of_table(source: str, column: str | None, frames: int) -> Iterator[Input]:
    column, holds_pictures = table_column(source, column)
    if holds_pictures:
        address = source if is_remote(source) else str(Path(source).absolute())
        for number, (group, row) in enumerate(picture_rows(source)):
            name = f"{PurePosixPath(source).stem}/{number:08d}"
            yield Input(name, address, "row", (group, row), column)
        return
    yield from _of_paths(path_rows(source, column), source.rpartition("/")[0], frames)


def _of_paths(paths: Sequence[str], folder: str, frames: int) -> Iterator[Input]:
    """Yield the files that a list or a table names; paths are relative to `folder`."""
    for path in paths:
        is_whole = is_remote(path) or path.startswith("/") or not folder
        yield from _of_file(_name_of(path), path if is_whole else f"{folder}/{path}", frames)


def _name_of(path: str) -> str:
    """Name a path's results by all of it but secrets; none leaves the target."""
    path = without_secrets(path).removesuffix("?...").removesuffix("#...")
    parts = PurePosixPath(path.partition("://")[2] or path).with_suffix("").parts
    return "/".join(part for part in parts if part not in ("/", "..", "."))


def _has_magic(source: str) -> bool:
    return any(letter in source for letter in "*?[")


def _told_apart(inputs: list[Input]) -> list[Input]:
    """Give inputs of one name what their addresses differ in.

    Raises:
        UsageError: Two still have the same name.
    """
    clashes = _clashes(inputs)
    named = [
        replace(item, name=item.name + _distinction(item.address)) if item.key in clashes else item
        for item in inputs
    ]
    for key in _clashes(named) if clashes else ():
        twins = " and ".join(item.address for item in named if item.key == key)
        raise UsageError(f"{twins} would write the same results; label them in jobs of their own")
    return named


def _clashes(inputs: Sequence[Input]) -> set[str]:
    """Return the keys that several inputs have, and those of videos named as others' folders."""
    counts = Counter(item.key for item in inputs)
    has_videos = any(item.kind == "frames" for item in inputs)
    above = folders_above(item.name for item in inputs) if has_videos else set[str]()
    return {
        item.key
        for item in inputs
        if counts[item.key] > 1 or (item.kind == "frames" and item.name in above)
    }


def _distinction(address: str) -> str:
    """Return a file's suffix; of an address with a query, which may be a secret, a digest."""
    if without_secrets(address) == address:
        return PurePosixPath(address).suffix
    return f"-{hashlib.sha256(utf8(address)).hexdigest()[:8]}"
