"""Text files that list things: .txt, .csv, .tsv and .json as people and programs write them."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from swiftseg.core import SwiftsegError
from swiftseg.data.own.words import SPLIT_OF_WORD, single_words

MAX_BYTES = 64 << 20
SPLIT_HEADERS = {"split", "splits", "subset", "set", "partition", "phase", "usage", "fold", "type"}


class Row(NamedTuple):
    """A line of a table: its number in the file, its cells, and the split that it names."""

    number: int
    cells: tuple[str, ...]
    split: str | None


class Table(NamedTuple):
    """The lines of a table, and what the first says if it names the columns."""

    header: tuple[str, ...]
    rows: list[Row]


def plain_word(header: str) -> str:
    """Return a column's name in lower case, its letters alone."""
    return re.sub(r"[^a-z]", "", header.lower())


def read_table(path: Path) -> Table:
    """Read the lines of a list that count: neither empty ones nor those that begin with `#`.

    Raises:
        SwiftsegError: The file is no text, too large, or no such JSON.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SwiftsegError(f"{path}: the list is larger than {MAX_BYTES >> 20} MB")
        text = path.read_text(encoding="utf-8-sig").replace("\ufeff", "")
    except UnicodeDecodeError as error:
        raise SwiftsegError(
            f"{path}: expected a text file with an image and its mask on each line, got bytes that "
            f"are no UTF-8 text (at byte {error.start})"
        ) from error
    except OSError as error:
        raise SwiftsegError(f"{path}: cannot read the list: {error.strerror}") from error
    if path.suffix.lower() == ".json":
        return Table((), list(_json_rows(path, text)))
    lines = text.splitlines()
    counted = [
        (number, line)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    separator = _separator(path, [line for _, line in counted[:50]])
    rows = [Row(number, _cells(line, separator), None) for number, line in counted]
    return _with_splits(*_without_header(rows))


def _separator(path: Path, lines: Sequence[str]) -> str | None:
    """Return the sign between cells; None for spaces. Paths may hold what comes later here."""
    for sign in ("\t", ";", ","):
        if lines and all(sign in line for line in lines):
            return sign
    return "," if path.suffix.lower() == ".csv" or any("," in line for line in lines) else None


def _cells(line: str, separator: str | None) -> tuple[str, ...]:
    if separator is None:
        return tuple(line.split())
    return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=separator)))


def _without_header(rows: list[Row]) -> tuple[tuple[str, ...], list[Row]]:
    """Take the first line for names of columns where it holds no path and no number."""
    if len(rows) < 2:
        return (), rows
    first = rows[0].cells
    words = [cell for cell in first if cell]
    named = bool(words) and all(re.fullmatch(r"[A-Za-z][\w :()-]*", cell) for cell in words)
    others = [cell for row in rows[1:4] for cell in row.cells if cell]
    is_path = any(re.search(r"[./\\]|\d", cell) for cell in others)
    known = SPLIT_HEADERS | {"image", "mask", "path", "name", "id", "file", "filename", "label"}
    is_header = named and (is_path or any(cell.lower() in known for cell in words))
    return (first, rows[1:]) if is_header and len(rows[1].cells) == len(first) else ((), rows)


def _with_splits(header: tuple[str, ...], rows: list[Row]) -> Table:
    """Read the column that names splits, where there is one."""
    for column, name in enumerate(header):
        if not SPLIT_HEADERS & {name.lower(), *single_words(name)}:
            continue
        words = [row.cells[column].lower() if column < len(row.cells) else "" for row in rows]
        if all(word in SPLIT_OF_WORD for word in words) and len(set(words)) > 1:
            splits = [SPLIT_OF_WORD[word] for word in words]
            return Table(
                header, [row._replace(split=s) for row, s in zip(rows, splits, strict=True)]
            )
    return Table(header, rows)


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    """Yield the entries of a JSON list, or of lists that stand under the names of splits."""
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        raise SwiftsegError(f"{path}: not JSON that can be read ({error})") from error
    lists: dict[str | None, list[Any]] = {}
    if isinstance(content, list):
        lists[None] = cast(list[Any], content)
    elif isinstance(content, dict):
        for name, value in cast(dict[str, Any], content).items():
            if isinstance(value, list) and name.lower() in SPLIT_OF_WORD:
                lists[SPLIT_OF_WORD[name.lower()]] = cast(list[Any], value)
    number = 0
    for split, entries in lists.items():
        for entry in entries:
            number += 1
            yield Row(number, _json_cells(entry), split)


def _json_cells(entry: Any) -> tuple[str, ...]:
    parts: list[Any] = (
        list(cast(dict[str, Any], entry).values())
        if isinstance(entry, dict)
        else cast(list[Any], entry)
        if isinstance(entry, list)
        else [entry]
    )
    return tuple(part for part in parts if isinstance(part, str))
