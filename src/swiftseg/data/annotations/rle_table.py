"""Tables of run lengths, as competitions hand masks out: a CSV with a picture and its runs a line.

`ImageId,ClassId,EncodedPixels` with `a.jpg,3,29102 12 29346 24`: from pixel 29,102, counted from 1,
twelve pixels are covered, and so on. Most tables count down the columns, some along the rows; which
one is told by the regions' outlines, which are far shorter in the right order. A class may stand in
a column of its own or behind the picture's name (`a.jpg_Fish`). An empty cell, or -1, is a picture
without the class.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.places import (
    PictureFinder,
    files_below,
    name_of,
    split_of,
    spread_names,
)
from swiftseg.data.annotations.raster import Patch
from swiftseg.data.annotations.run_lengths import as_counts
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import naming
from swiftseg.data.images.header import IMAGE_SUFFIXES, read_header
from swiftseg.data.own.class_files import find_class_files
from swiftseg.data.own.tables import plain_word
from swiftseg.data.own.words import MASK_WORDS, whole_number, words_of

Order = Literal["C", "F"]

PICTURES = {"imageid", "image", "img", "id", "imagename", "filename", "file"}
PICTURES_AND_CLASSES = {"imagelabel", "imageidclassid"}
RUN_LENGTHS = {
    *("encodedpixels", "rle", "rlemask", "maskrle", "rleencoding", "encodedmask", "encoding"),
    *("annotation", "segmentation"),
}
CLASSES = {"classid", "class", "label", "category", "categoryid", "classname"}
FOREGROUND = "foreground"
PROBED = 20
MAX_CELL = 64 << 20  # bytes; the runs of a large picture take more than csv's usual 128 KB
_RUNS = re.compile(r"\d+ \d+( \d+ \d+)*")
_NAME_AND_CLASS = re.compile(r"(.+\.\w{3,4})_(.+)")
_WITH_ATTRIBUTES = re.compile(r"(\d+)_[\d,]+")  # of Fashion's ClassId, only the class counts


class Line(NamedTuple):
    """A line of a table: the picture as it is called there, the class, and the runs."""

    number: int
    picture: str
    class_name: str
    runs: str


class Columns(NamedTuple):
    """Where a table has its picture, its runs and, if it has any, its class."""

    picture: int
    runs: int
    class_name: int | None


def find_tables(root: Path) -> tuple[Path, ...]:
    """Return the tables below a folder whose pictures are there, and have no masks beside them."""
    found = islice(files_below(root, ".csv"), PROBED)
    # The example of an answer to the competition holds no masks.
    tables = [path for path in found if "submission" not in path.stem and is_rle_table(path)]
    if not tables:
        return ()
    pictures = [path.relative_to(root) for path in files_below(root, *IMAGE_SUFFIXES)]
    if any(words_of(folder) & MASK_WORDS for folder in {str(path.parent) for path in pictures}):
        return ()
    return tuple(path for path in tables if _describes(path, pictures))


def is_rle_table(path: Path) -> bool:
    """Whether a CSV has a column of pictures and one of runs."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = list(islice(csv.reader(file), 200))
    except (OSError, ValueError, csv.Error):
        return False
    columns = _columns(head[0]) if head else None
    if columns is None:
        return False
    cells = [row[columns.runs].strip() for row in head[1:] if len(row) > columns.runs]
    return any(_RUNS.fullmatch(cell) for cell in cells)


def _describes(path: Path, pictures: Sequence[Path]) -> bool:
    """Whether the first picture of a table is there, once: a second one would be its mask."""
    stem = Path(next(_lines(path)).picture).stem
    names = [picture.name.lower() for picture in pictures]
    begun = [name for name in names if name.startswith(stem.lower())]
    found = sum(not name[len(stem)].isalnum() for name in begun)
    return found == 1 or (not begun and sum(stem in spread_names(one) for one in pictures) == 1)


def read_rle_tables(root: Path, files: Sequence[Path]) -> Export:
    """Read tables of run lengths.

    Where regions overlap the smaller one is kept.

    Raises:
        SwiftsegError: A table is broken, or none of its pictures is there.
    """
    gathering, finder = Gathering(root), PictureFinder(root)
    for file in files:
        by_picture: dict[str, list[Line]] = {}
        for line in _lines(file):
            by_picture.setdefault(line.picture, []).append(line)
        found = {given: _picture(finder, file, given) for given in by_picture}
        with naming(file):
            order = _order(
                [
                    (lines, picture)
                    for given, lines in by_picture.items()
                    if (picture := found[given])
                ]
            )
        names = {line.class_name for lines in by_picture.values() for line in lines}
        ordered = sorted(
            names, key=lambda name: (not name.isdigit(), whole_number(name) or 0, name)
        )
        text_of = _class_texts(root, names)
        gathering.classes += [(text_of[name], None) for name in ordered]
        for given, lines in by_picture.items():
            picture = found[given]
            if picture is None:
                gathering.leave_out("missing_picture", f"{file}: {given} is not there", given)
                continue
            name = name_of(picture.relative_to(root).as_posix())
            shapes = _shapes(lines, order, text_of)
            gathering.add(
                split_of(*picture.relative_to(root).parts[:-1], file.stem),
                AnnotatedImage(name, picture, file, shapes),
            )
    _note_unlisted(gathering, root)
    return gathering.done()


def _note_unlisted(gathering: Gathering, root: Path) -> None:
    """Say which pictures lie beside the listed ones and are in no table."""
    listed = {image.picture for images in gathering.splits.values() for image in images}
    folders = {picture.parent for picture in listed}
    for path in files_below(root, *IMAGE_SUFFIXES):
        if path.parent in folders and path not in listed:
            message = f"{path}: in no table of run lengths; this picture is left out"
            gathering.notes.note("warning", "unlisted_picture", message, path)


def _lines(path: Path) -> Iterator[Line]:
    with naming(path), path.open(encoding="utf-8-sig", newline="") as file:
        before = csv.field_size_limit(MAX_CELL)  # of the whole process
        try:
            yield from _parsed(csv.reader(file))
        except (OSError, ValueError, csv.Error) as error:
            raise SwiftsegError(f"cannot be read: {error}") from error
        finally:
            csv.field_size_limit(before)


def _parsed(rows: Iterator[list[str]]) -> Iterator[Line]:
    columns = _columns(next(rows))
    assert columns is not None  # `is_rle_table` has seen them
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) <= max(columns.picture, columns.runs, columns.class_name or 0):
            raise SwiftsegError(f"line {number} has {len(row)} cells, fewer than the header")
        picture, class_name = row[columns.picture].strip(), FOREGROUND
        both = _NAME_AND_CLASS.fullmatch(picture)
        if columns.class_name is not None:
            class_name = row[columns.class_name].strip()
            attributes = _WITH_ATTRIBUTES.fullmatch(class_name)
            class_name = attributes[1] if attributes else class_name
        elif both:
            picture, class_name = both[1], both[2]
        yield Line(number, picture, class_name, row[columns.runs].strip())


def _columns(header: Sequence[str]) -> Columns | None:
    words = [plain_word(cell) for cell in header]
    found = [
        next((at for at, word in enumerate(words) if word in known), None)
        for known in (PICTURES | PICTURES_AND_CLASSES, RUN_LENGTHS, CLASSES)
    ]
    picture, runs, class_name = found
    return None if picture is None or runs is None else Columns(picture, runs, class_name)


def _class_texts(root: Path, names: set[str]) -> dict[str, str]:
    """Return the classes' names by what a table calls them: a file may name their numbers."""
    if all(name.isdigit() for name in names):
        for table in find_class_files(root):
            named = dict(zip(map(str, table.values or ()), table.names, strict=False))
            if names <= named.keys():
                return named
    return {name: f"class_{name}" if name.isdigit() else name for name in names}


def _picture(finder: PictureFinder, table: Path, given: str) -> Path | None:
    tried = [given, *(given + suffix for suffix in (".jpg", ".png", ".tif", ".tiff"))]
    found = (finder.find(name, table.parent) for name in tried)
    return next(filter(None, found), None) or finder.find_spread(given)


def _shapes(lines: Sequence[Line], order: Order, text_of: Mapping[str, str]) -> tuple[Shape, ...]:
    sized: list[tuple[int, Shape]] = []
    for line in lines:
        if line.runs in ("", "-1", "nan", "NaN"):
            continue
        draw = partial(covered_by_runs, line.runs, order)
        covered = sum(whole_number(text) or 0 for text in line.runs.split()[1::2])
        shape = Shape(text_of[line.class_name], f"line {line.number}", draw)
        sized.append((covered, shape))
    return tuple(shape for _, shape in sorted(sized, key=lambda one: -one[0]))


def covered_by_runs(runs: str, order: Order, size_hw: tuple[int, int]) -> Patch:
    """Return the pixels that pairs of a start, counted from 1, and a length cover.

    Raises:
        SwiftsegError: The text is no such pairs, or they leave the picture.
    """
    numbers = as_counts(runs.split())
    pixels = size_hw[0] * size_hw[1]
    starts, lengths = numbers[0::2] - 1, numbers[1::2]
    if len(starts) != len(lengths):
        raise SwiftsegError(f"expected pairs of a start and a length, got {len(numbers)} numbers")
    ends = starts + lengths
    if (starts < 0).any() or (lengths < 0).any() or (ends > pixels).any():
        raise SwiftsegError(
            f"the runs leave the picture, which is {size_hw[0]}x{size_hw[1]} (height x width)"
        )
    steps = np.zeros(pixels + 1, np.int32)
    np.add.at(steps, starts, 1)
    np.add.at(steps, ends, -1)
    np.cumsum(steps, out=steps)
    return Patch(0, 0, (steps[:-1] > 0).reshape(size_hw, order=order))


def _order(listed: Sequence[tuple[Sequence[Line], Path]]) -> Order:
    """Return the order of pixels in which some regions have the shorter outlines."""
    lengths: dict[Order, int] = {"F": 0, "C": 0}
    probed = 0
    for lines, picture in listed:
        runs = next((line for line in lines if _RUNS.fullmatch(line.runs)), None)
        if runs is None:
            continue
        size_hw = read_header(picture).shown_hw
        for order in lengths:
            with naming(f"line {runs.number}"):
                covered = covered_by_runs(runs.runs, order, size_hw).covered
            lengths[order] += int(np.count_nonzero(covered[1:] != covered[:-1]))
            lengths[order] += int(np.count_nonzero(covered[:, 1:] != covered[:, :-1]))
        probed += 1
        if probed == PROBED:
            break
    return "C" if lengths["C"] < lengths["F"] else "F"
