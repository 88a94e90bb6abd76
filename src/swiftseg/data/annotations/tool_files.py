"""Reading the files of labeling tools, whose content is not to be trusted."""

import base64
import binascii
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from swiftseg.core import SwiftsegError

MAX_FILE_BYTES = 1 << 31  # the instances of COCO's training split are a fifth of it
MAX_COORDINATE = 1e6  # farther out than any picture is wide


@contextmanager
def naming(where: object) -> Generator[None]:
    """Put a file or an annotation in front of the errors of a block."""
    try:
        yield
    except SwiftsegError as error:
        raise SwiftsegError(f"{where}: {error}") from error


def read_bytes(path: Path) -> bytes:
    """Read a file of at most `MAX_FILE_BYTES`.

    Raises:
        SwiftsegError: It is missing, too large, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SwiftsegError(f"{path}: the file exceeds {MAX_FILE_BYTES >> 30} GiB")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SwiftsegError(f"{path}: no such file") from error
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error


def read_text(path: Path) -> str:
    """Read a UTF-8 text, with or without a byte order mark.

    Raises:
        SwiftsegError: It cannot be read, or is no such text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SwiftsegError(f"{path}: not UTF-8 text (at byte {error.start})") from error


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        SwiftsegError: It cannot be read, is no JSON, or is nested too deeply.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise SwiftsegError(f"{path}: the JSON is nested too deeply") from error
    except ValueError as error:  # JSONDecodeError is one; so is a number of thousands of digits
        raise SwiftsegError(f"{path}: the JSON is broken: {error}") from error


def as_fields(value: Any, what: str) -> dict[str, Any]:
    """Return a JSON object, or raise SwiftsegError with what was expected."""
    if not isinstance(value, dict):
        raise SwiftsegError(f"expected {what} as an object, got {short(value)}")
    return cast(dict[str, Any], value)


def as_list(value: Any, what: str) -> list[Any]:
    """Return a JSON array, or raise SwiftsegError with what was expected."""
    if not isinstance(value, list):
        raise SwiftsegError(f"expected {what} as a list, got {short(value)}")
    return cast(list[Any], value)


def as_text(value: Any, what: str) -> str:
    """Return a text that is not empty, or raise SwiftsegError with what was expected."""
    if not isinstance(value, str) or not value.strip():
        raise SwiftsegError(f"expected {what} as a text, got {short(value)}")
    return value


def as_id(value: Any) -> int | str:
    """Return an id, or raise SwiftsegError where it is neither a number nor a text."""
    if not isinstance(value, int | str):
        raise SwiftsegError(f"expected an id as a number or a text, got {short(value)}")
    return value


def as_base64(value: Any, what: str) -> bytes:
    """Return the bytes that a text packs, or raise SwiftsegError with what was expected."""
    try:
        return base64.b64decode(as_text(value, what), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SwiftsegError(f"{what} is no base64: {error}") from error


def as_number(value: Any, what: str) -> float:
    """Return a number, also one that is written as a text, within `MAX_COORDINATE`.

    Raises:
        SwiftsegError: It is none, not finite, or too large.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SwiftsegError(f"expected {what} as a number, got {short(value)}") from error
    if not abs(number) <= MAX_COORDINATE:  # NaN fails this, too
        raise SwiftsegError(f"expected {what} as a number within a picture, got {number}")
    return number


def as_whole(value: Any, what: str) -> int:
    """Return a whole number, or raise SwiftsegError with what was expected."""
    number = as_number(value, what)
    if number != int(number):
        raise SwiftsegError(f"expected {what} as a whole number, got {short(value)}")
    return int(number)


def as_numbers(value: Any, count: int, what: str) -> list[float]:
    """Return a list of so many numbers, or raise SwiftsegError with what was expected."""
    numbers = as_list(value, what)
    if len(numbers) != count:
        raise SwiftsegError(f"expected {what} as {count} numbers, got {short(value)}")
    return [as_number(number, what) for number in numbers]


def as_size(height: Any, width: Any) -> tuple[int, int]:
    """Return a size (height, width) of at least one pixel.

    Raises:
        SwiftsegError: They are no such numbers.
    """
    size_hw = as_whole(height, "the height"), as_whole(width, "the width")
    if min(size_hw) < 1:
        raise SwiftsegError(f"expected a height and width of 1 or more, got {size_hw}")
    return size_hw


def as_points(value: Any, *, least: int = 3) -> np.ndarray:
    """Return points float64 (n, 2), x before y, from pairs or from numbers in a row.

    Raises:
        SwiftsegError: They are no such numbers, fewer than `least`, not finite, or farther out
            than `MAX_COORDINATE`.
    """
    try:
        points = np.array(value, np.float64)
        points = points.reshape(-1, 2) if points.ndim == 1 else points
    except (TypeError, ValueError, OverflowError) as error:
        raise SwiftsegError(f"expected pairs of numbers, got {short(value)}") from error
    if points.ndim != 2 or points.shape[1] != 2:
        raise SwiftsegError(f"expected pairs of numbers, got {short(value)}")
    if len(points) < least:
        raise SwiftsegError(f"expected {least} points or more, got {len(points)}")
    if not (np.abs(points) <= MAX_COORDINATE).all():  # NaN fails this, too
        raise SwiftsegError("a point is NaN, infinite, or far outside of any picture")
    return points


def as_color(value: Any) -> tuple[int, int, int] | None:
    """Return a color that is written as `#rrggbb` or as three numbers, or None."""
    if isinstance(value, str) and len(value) == 7 and value.startswith("#"):
        try:
            red, green, blue = bytes.fromhex(value[1:])
        except ValueError:
            return None
        return red, green, blue
    if isinstance(value, list) and len(cast(list[Any], value)) == 3:
        numbers = cast(list[Any], value)
        if all(isinstance(number, int) and 0 <= number <= 255 for number in numbers):
            return numbers[0], numbers[1], numbers[2]
    return None


def short(value: object) -> str:
    """Return a value as it can stand in an error."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
