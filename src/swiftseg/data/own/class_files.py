"""Files in a user's data that name its classes: class_dict.csv, labelmap.txt, classes.txt."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from swiftseg.core.labels import RGB
from swiftseg.data.own.words import whole_number

MAX_BYTES = 1 << 20
MAX_DEPTH = 3
# The names of such files, in the order they are believed.
_NAMES = re.compile(
    r"(?i)(?:_?class(?:es)?|ontology|taxonomy|.*class(?:es)?[_-]?(?:list|names?)|_?class[_-]?(?:names?|dict|list|colou?rs?|map(?:ping)?|info).*"
    r"|.*class_?dict.*|.*label_?mapping|label_?(?:map|names?|list|colou?rs?|class.*)|labels"
    r"|.*list_?of_?class(?:es)?.*|.*class(?:es)?_?(?:and_?)?colou?r.*|(?:.*_)?codes|colou?rs|categories|category|category_?(?:ids?|names?|list)"
    r"|.*colou?r_?map|object_?info.*|obj_class_to_machine_color|palette|legend|names)"
    r"\.(?:txt|csv|tsv|json|names)"
)
_SETTINGS = re.compile(r"(?i)(?:.*config.*|label_?descriptions?)\.json")  # hold more than classes
_README = re.compile(r"(?i)readme.*|.*description.*\.txt")
_NUMBERED = re.compile(
    r"([A-Za-z]*)[ .#|]*(?<![\w.])(\d{1,3})(?:\s*[:=|]\s*| - )([A-Za-z][A-Za-z _/-]*)"
)
# Words of sentences: what a README numbers so is no list of classes.
_PROSE = frozenset(
    "a an the of to is are was for from in with by this that".split()  # noqa: SIM905
)
# Words before a number that is no value of a mask.
_NO_VALUE = frozenset(
    (  # noqa: SIM905 words are easier to read without quotes
        "step steps fig figure table tab section sec part version ver v phase task stage fold "
        "chapter day week note ref volume vol page example question experiment round track "
        "camera session january february march april may june july august september october "
        "november december jan feb mar apr jun jul aug sep oct nov dec"
    ).split()
)
_COLOR = re.compile(r"\d+\s+\d+\s+\d+")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_NAME_KEYS = {"name", "title", "label", "class"}
_LIST_KEYS = ("labels", "classes", "categories")
# What columns of names, of values, of red, green and blue, and of hexadecimal colors are called.
_COLUMNS = (
    ("name", "class_name", "label_name", "category_name", "title", "class", "category", "label"),
    (
        *("value", "pixel_value", "label_key", "idx", "index"),
        *("id", "class_id", "label_id", "category_id"),
    ),
    *(("r", "red"), ("g", "green"), ("b", "blue"), ("hex", "color", "colour")),
)
_HEADER = {"name", "class", "label", "r", "g", "b", "red", "green", "blue", "value", "id", "index"}


@dataclass(frozen=True)
class ClassTable:
    """What a file says of the classes.

    Attributes:
        names: The classes, in the file's order.
        values: Their values in masks, or None.
        is_certain: Whether colors, a header or lines of names alone show that these are classes;
            another table may list patients.
    """

    source: Path
    names: tuple[str, ...]
    colors: tuple[RGB, ...] | None
    values: tuple[int, ...] | None
    is_certain: bool


def find_class_files(root: Path) -> list[ClassTable]:
    """Find what names the classes in a folder, down to a few folders within it."""
    tables: list[ClassTable] = []
    for path in _candidates(root):
        try:
            if path.stat().st_size <= MAX_BYTES:
                text = path.read_text(encoding="utf-8-sig")
                tables += _parsed(path, text)
        except (OSError, UnicodeDecodeError):
            continue
    return tables


def find_readme_names(root: Path) -> dict[int, str]:
    """Return names by value from a README that lists them, such as `1: Cat 2: Background`."""
    names: dict[int, str] = {}
    for path in _below(root, 0):
        if _README.fullmatch(path.name) and path.stat().st_size <= MAX_BYTES:
            text = path.read_text(encoding="utf-8", errors="replace")
            for before, value, name in _NUMBERED.findall(text):
                if before.lower() not in _NO_VALUE:
                    names.setdefault(int(value), name.strip())
    return {} if any(_PROSE & {*name.split()} for name in names.values()) else names


def _candidates(root: Path) -> list[Path]:
    found = [
        path
        for path in _below(root, 0)
        if _NAMES.fullmatch(path.name) or _SETTINGS.fullmatch(path.name)
    ]
    return sorted(found, key=lambda path: (len(path.parts), path))


def _below(folder: Path, depth: int) -> Iterable[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries[:2000]:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if depth < MAX_DEPTH and len(entries) < 200:
                yield from _below(path, depth + 1)
        else:
            yield path


def _parsed(path: Path, text: str) -> Iterable[ClassTable]:
    is_json = path.suffix.lower() == ".json"
    only_objects = _SETTINGS.fullmatch(path.name) is not None
    rows, says_classes = (
        (_json_rows(text, only_objects=only_objects), None) if is_json else _text_rows(text)
    )
    parsed = [row for row in map(_parse_row, rows) if row is not None]
    names = tuple(name for name, _, _ in parsed)
    if not names or len(names) > 255 or len(set(names)) < len(names):
        return
    colors = [color for _, color, _ in parsed]
    values = [value for _, _, value in parsed]
    has_colors = None not in colors
    if says_classes is None:
        is_plain = all(sum(whole_number(cell) is None for cell in row if cell) == 1 for row in rows)
        says_classes = is_plain and not _are_counted(names)
    yield ClassTable(
        path,
        names,
        tuple(filter(None, colors)) if has_colors else None,
        tuple(v for v in values if v is not None) if None not in values else None,
        has_colors or says_classes,
    )


def _are_counted(names: Sequence[str]) -> bool:
    """Whether names differ in their numbers alone, as those of patients do."""
    return len(names) > 1 and len({re.sub(r"\d+", "", name) for name in names}) == 1


def _text_rows(text: str) -> tuple[list[list[str]], bool | None]:
    """Return the cells of lines, and whether a header names classes; None where there is none."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = [_cells_of(line) for line in lines]
    columns = _named_columns(rows[0]) if len(rows) > 1 else []
    if columns:
        rows = [[row[at] for at in columns if at < len(row)] for row in rows[1:]]
    rows = [
        [part for cell in row for part in (cell.split() if _COLOR.fullmatch(cell) else [cell])]
        for row in rows
    ]
    num_lines = len(rows)
    if rows and {cell.lower() for cell in " ".join(rows[0]).split()} & _HEADER and len(rows) > 1:
        has_numbers = any(cell.isdigit() for cell in rows[0])
        rows = rows if has_numbers else rows[1:]
    numbered = [any(cell.isdigit() for cell in row) for row in rows]
    if numbered[1:] and not numbered[0] and all(numbered[1:]):
        rows = rows[1:]  # names of columns, whatever they are
    has_other_header = len(rows) < num_lines and len(rows[0]) > 1
    return rows, True if columns else False if has_other_header else None


def _cells_of(line: str) -> list[str]:
    if "::" in line or re.match(r"[^,:]+:\d+,\d+,\d+", line):  # CVAT's labelmap.txt
        name, _, rest = line.partition(":")
        return [name, *rest.split(":")[0].split(",")]
    sign = next((sign for sign in ("\t", ";", ",") if sign in line), None)
    if sign is None:
        return _spaced(line)
    return [cell.strip() for cell in next(csv.reader(io.StringIO(line), delimiter=sign))]


def _named_columns(header: Sequence[str]) -> list[int]:
    """Find the columns of a class's name, value and color by a header that has the first two."""
    words = [cell.strip().lower().replace(" ", "_") for cell in header]
    found = [next((words.index(w) for w in known if w in words), None) for known in _COLUMNS]
    if found[0] is None or found[1] is None:
        return []
    colors = found[2:5] if None not in found[2:5] else found[5:]
    return [at for at in (*found[:2], *colors) if at is not None]


def _spaced(line: str) -> list[str]:
    """Split a line such as `128 64 128 Road`, `0: sky` or `traffic light`."""
    both = re.fullmatch(r"\s*(\d+)\s+(\S*[^\d\s]\S*)\s+(\d+)\s+(\d+)\s+(\d+)\s*", line)
    if both:
        return list(both.groups())
    ranked = re.fullmatch(r"\s*(\d+)\s+\d+\s+([^\W\d].*)", line)
    if ranked:  # the class's value, another number of it, its name
        return [ranked.group(1), ranked.group(2).strip()]
    numbered = re.fullmatch(r"\s*(\d+)\s*[:=.)]?\s+(\D.*)", line) or re.fullmatch(
        r"\s*(\d+)\s*[:=]\s*(.+)", line
    )
    if numbered and not re.match(r"\d+\s+\d+", numbered.group(2)):
        return [numbered.group(1), numbered.group(2).strip()]
    colored = re.fullmatch(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S.*)", line)
    if colored:
        return [colored.group(4).strip(), *colored.groups()[:3]]
    behind = re.fullmatch(r"\s*(\S.*?)[\s:]+(\d+)[ ,]+(\d+)[ ,]+(\d+)\s*", line)
    if behind:
        return list(behind.groups())
    return [line.strip()]


def _json_rows(text: str, *, only_objects: bool = False) -> list[list[str]]:
    """List names with what stands beside them in a JSON file of one of the usual forms.

    `only_objects` takes lists of objects alone, one a class: settings hold other lists, too.
    """
    try:
        content: Any = json.loads(text)
    except ValueError:
        return []
    if isinstance(content, dict):
        inner = {k: v for k, v in cast(dict[str, Any], content).items() if _is_list_of_classes(v)}
        named = [inner[key] for key in _LIST_KEYS if key in inner] or list(inner.values())
        if len(named) == 1:
            content = named[0]
    if _is_list_of_classes(content):
        return [_class_cells(entry) for entry in cast(list[dict[str, Any]], content)]
    if only_objects:
        return []
    entries: list[tuple[Any, Any]] = (
        list(cast(dict[str, Any], content).items())
        if isinstance(content, dict)
        else [(None, entry) for entry in cast(list[Any], content)]
        if isinstance(content, list)
        else []
    )
    rows: list[list[str]] = []
    for key, value in entries:
        parts = [value] if not isinstance(value, list) else cast(list[Any], value)
        if not all(isinstance(part, str | int) for part in parts):
            return []
        rows.append([str(part) for part in ((key, *parts) if key is not None else parts)])
    return rows


def _is_list_of_classes(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    entries = cast(list[Any], value)
    return all(isinstance(entry, dict) and _NAME_KEYS & entry.keys() for entry in entries)


def _class_cells(entry: dict[str, Any]) -> list[str]:
    """Return the name, the color and the value of a class from a JSON object."""
    keys = ("readable", "name", "title", "label", "class")
    name = next(str(entry[key]) for key in keys if key in entry)
    cells = [name]
    value = next((entry[key] for key in ("value", "id", "index") if key in entry), None)
    if isinstance(value, int):
        cells.append(str(value))
    color = next((entry[key] for key in ("color", "rgb", "palette") if key in entry), None)
    if isinstance(color, str):
        cells.append(color)
    elif isinstance(color, list):
        cells += [str(part) for part in cast(list[Any], color)[:3]]
    return cells


def _parse_row(cells: Sequence[str]) -> tuple[str, RGB | None, int | None] | None:
    """Read a class's name, color and value from the cells of a line."""
    numbers = [number for cell in cells if (number := whole_number(cell)) is not None]
    words = [cell for cell in cells if cell and whole_number(cell) is None]
    hexes = [cell for cell in words if _HEX.fullmatch(cell)]
    names = [cell for cell in words if cell not in hexes]
    if not names:
        return None
    color: RGB | None = None
    if hexes:
        code = int(hexes[0][1:], 16)
        color = (code >> 16, code >> 8 & 255, code & 255)
    elif len(numbers) >= 3 and max(numbers[-3:]) <= 255:
        color = (numbers[-3], numbers[-2], numbers[-1])
        numbers = numbers[:-3]
    value = numbers[0] if len(numbers) == 1 else None
    return names[0], color, value
