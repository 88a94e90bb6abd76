"""A model's description out of JSON, checked strictly: it may come from anywhere.

Checked by hand: pydantic would take longer to import than a small network takes to load.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

from swiftseg.core.budgets import MAX_NAME_LENGTH, MAX_PIXELS

# A description travels in every answer and legend: what no data set comes near is damage.
MAX_TEXT_LENGTH, MAX_ENTRIES = 4096, 1000
MAX_SIDE = 16_384

Check = Callable[[Any, str], Any]


def read_spec_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a `ModelSpec`, those of `LabelSet` and `InputSpec` as dicts.

    Raises:
        ValueError: A key is missing or unknown, or a value is of another type or out of range.
    """
    return _section(fields, "", _SPEC, _OPTIONAL)


def _section(
    value: Any, place: str, checks: Mapping[str, Check], optional: Sequence[str]
) -> dict[str, Any]:
    fields = _mapping(value, place)
    for key in fields:
        if key not in checks:
            _refuse(_below(place, key), "expected no such key", key)
    for key in checks:
        if key not in fields and key not in optional:
            _refuse(_below(place, key), "expected this key", None)
    return {key: checks[key](fields[key], _below(place, key)) for key in checks if key in fields}


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(place or "it", "expected keys and values", value)
    found = cast(dict[str, Any], value)
    if len(found) > MAX_ENTRIES:
        _refuse(place or "it", f"expected at most {MAX_ENTRIES} keys", len(found))
    return found


def _text(value: Any, place: str, most: int = MAX_TEXT_LENGTH) -> str:
    if not isinstance(value, str) or len(value) > most:
        _refuse(place, f"expected a text of at most {most} characters", value)
    return value


def _name(value: Any, place: str) -> str:
    if not _text(value, place, MAX_NAME_LENGTH):
        _refuse(place, "expected a name", value)
    return value


def _file_name(value: Any, place: str) -> str:
    """Check a model's name, which files and folders are called by."""
    if value in (".", "..") or not re.fullmatch(r"[^/\\\x00-\x1f]+", _name(value, place)):
        _refuse(place, "expected a name that a file may have", value)
    return value


def _yes_or_no(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        _refuse(place, "expected true or false", value)
    return value


def _whole(value: Any, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**31:
        _refuse(place, "expected a whole number", value)
    return value


def _number(value: Any, place: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        _refuse(place, "expected a finite number", value)
    return value


def _temperature(value: Any, place: str) -> float:
    if not 0 < _number(value, place) <= 1000:
        _refuse(place, "expected a number above 0, at most 1000", value)
    return value


def _list(value: Any, place: str, check: Check) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        _refuse(place, "expected a list", value)
    return tuple(check(v, f"{place}.{i}") for i, v in enumerate(cast(Sequence[Any], value)))


def _size(value: Any, place: str) -> tuple[int, ...]:
    size = _list(value, place, _whole)
    if len(size) != 2 or not all(1 <= side <= MAX_SIDE for side in size):
        _refuse(place, f"expected a height and a width of 1 to {MAX_SIDE}", value)
    if size[0] * size[1] > MAX_PIXELS:
        _refuse(place, f"expected at most {MAX_PIXELS // 10**6} megapixels", value)
    return size


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _refuse(place: str, expected: str, value: Any) -> NoReturn:
    got = "" if value is None else f", got {repr(value)[:80]}"
    raise ValueError(f"{place[:80]!r}: {expected}{got}")


_LABELS: Mapping[str, Check] = {
    "names": lambda value, place: _list(value, place, _name),
    "palette": lambda value, place: _list(value, place, lambda v, at: _list(v, at, _whole)),
    "ignore_index": lambda value, place: None if value is None else _whole(value, place),
}
_INPUT: Mapping[str, Check] = {
    "size_hw": _size,
    "mean": lambda value, place: _list(value, place, _number),
    "std": lambda value, place: _list(value, place, _number),
    "dtype": _name,
}
_SPEC: Mapping[str, Check] = {
    "name": _file_name,
    "network": _name,
    "labels": lambda value, place: _section(value, place, _LABELS, ("ignore_index",)),
    "input": lambda value, place: _section(value, place, _INPUT, ("mean", "std", "dtype")),
    "output": _name,
    "training_data": _text,
    "license_note": _text,
    "metrics": lambda value, place: {
        key: _number(v, f"{place}.{key}") for key, v in _mapping(value, place).items()
    },
    "versions": lambda value, place: {
        key: _text(v, f"{place}.{key}") for key, v in _mapping(value, place).items()
    },
    "sliding_windows": _yes_or_no,
    "crop_hw": _size,
    "temperature": _temperature,
}
_OPTIONAL = (
    *("output", "training_data", "license_note", "metrics", "versions"),
    *("sliding_windows", "crop_hw", "temperature"),
)
