"""Reading numeric arrays out of a MATLAB 5 file, as SBD and PASCAL Context keep their masks.

After "MAT-File Format" (The MathWorks, version 7 and earlier): a header of 128 bytes, then elements
of a tag and data. scipy reads all of the format, but damaged files end the process that reads them
by it with a segmentation fault (1.17.1); here they are refused.
"""

import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.budgets import MAX_ARRAY_BYTES

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_STRUCT_CLASS = 2
_NUMERIC_CLASSES = range(6, 16)  # double, single, and integers of 8 to 64 bits
_STORAGE = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}

Element = tuple[int, memoryview]
ByteOrder = Literal["<", ">"]


def read_matlab_array(path: Path, *names: str) -> np.ndarray:
    """Read a variable, or a field of a variable that is a 1x1 struct.

    Returns:
        The array in the numeric type it is stored in.

    Raises:
        SwiftsegError: The file is missing, damaged, of another format, or has no such array.
    """
    with _damage_told(path, ".".join(names)):
        for name, parts, order in _variables(path):
            if name == names[0]:
                return _array(_descend(parts, names[1:], order), order)
    raise SwiftsegError(f"{path}: expected an array {'.'.join(names)} in this file")


def read_matlab_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all numeric arrays that are variables, or fields of structs of one element.

    Raises:
        SwiftsegError: The file is missing, damaged, or of another format.
    """
    found: dict[str, np.ndarray] = {}
    with _damage_told(path, "the arrays"):
        for name, parts, order in _variables(path):
            _gather(name, parts, order, found)
    return found


def _gather(
    name: str, parts: list[Element], order: ByteOrder, found: dict[str, np.ndarray]
) -> None:
    kind = _array_class(parts, order) if parts else 0
    if kind in _NUMERIC_CLASSES:
        found.setdefault(name, _array(parts, order))
    elif kind == _STRUCT_CLASS and np.prod(np.frombuffer(parts[1][1], f"{order}i4")) == 1:
        for field in _field_names(parts, order):
            _gather(field, _descend(parts, (field,), order), order, found)


def _variables(path: Path) -> Iterator[tuple[str, list[Element], ByteOrder]]:
    """Yield each variable's name and its parts; `MAX_ARRAY_BYTES` is for all of them."""
    content, left = memoryview(path.read_bytes()), MAX_ARRAY_BYTES
    order = _byte_order(content)
    for kind, data in _elements(content[_HEADER_BYTES:], order):
        if kind not in (_MATRIX, _COMPRESSED):
            continue
        if kind == _COMPRESSED:
            data = _decompressed(data, order, left)
        left -= len(data)
        parts = list(_elements(data, order))
        yield bytes(parts[2][1]).decode(), parts, order


@contextmanager
def _damage_told(path: Path, what: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, IndexError, KeyError, TypeError, zlib.error, RecursionError) as error:
        raise SwiftsegError(f"{path}: cannot read {what} in this file: {error}") from error


def _byte_order(content: memoryview) -> ByteOrder:
    mark = bytes(content[126:_HEADER_BYTES])
    if bytes(content[:8]) == b"\x89HDF\r\n\x1a\n" or bytes(content[:10]) == b"MATLAB 7.3":
        raise ValueError("it is a MATLAB 7.3 file; save it with `save -v7`")
    if mark not in (b"IM", b"MI"):
        raise ValueError("it does not begin as a MATLAB 5 file")
    return "<" if mark == b"IM" else ">"


def _elements(content: memoryview, order: ByteOrder) -> Iterator[Element]:
    """Walk through the elements: the type of each and its data."""
    position = 0
    while position + 8 <= len(content):
        kind, size = (int(v) for v in np.frombuffer(content[position : position + 8], f"{order}u4"))
        start = position + 8
        if kind >> 16:  # a small element: type, size and up to four bytes of data in one tag
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
        if start + size > len(content):
            raise ValueError("it is truncated")
        yield kind, content[start : start + size]
        # Elements begin at multiples of 8, except behind a compressed one.
        position = max(start + size, position + 8)
        if kind != _COMPRESSED:
            position += -position % 8


def _decompressed(data: memoryview, order: ByteOrder, max_bytes: int) -> memoryview:
    inflater = zlib.decompressobj()
    content = inflater.decompress(data, max(max_bytes, 1))  # 0 would be no limit
    if inflater.unconsumed_tail:
        raise ValueError(f"its variables exceed {MAX_ARRAY_BYTES >> 20} MB")
    kind, matrix = next(_elements(memoryview(content), order))
    if kind != _MATRIX:
        raise ValueError("a compressed element holds no array")
    return matrix


def _descend(parts: list[Element], names: tuple[str, ...], order: ByteOrder) -> list[Element]:
    """Go from a struct's parts to those of the field that is named, and on."""
    if not names:
        return parts
    if _array_class(parts, order) != _STRUCT_CLASS:
        raise ValueError(f"it is no struct with a field {names[0]}")
    field = parts[5 + _field_names(parts, order).index(names[0])][1]
    return _descend(list(_elements(field, order)), names[1:], order)


def _field_names(parts: list[Element], order: ByteOrder) -> list[str]:
    name_bytes = int(np.frombuffer(parts[3][1], f"{order}i4")[0])
    table = bytes(parts[4][1])
    return [
        table[start : start + name_bytes].split(b"\0")[0].decode()
        for start in range(0, len(table), name_bytes)
    ]


def _array(parts: list[Element], order: ByteOrder) -> np.ndarray:
    if _array_class(parts, order) not in _NUMERIC_CLASSES:
        raise ValueError("it is no numeric array")
    shape = np.frombuffer(parts[1][1], f"{order}i4")
    kind, data = parts[3]
    values = np.frombuffer(data, np.dtype(_STORAGE[kind]).newbyteorder(order))
    return values.reshape(tuple(shape), order="F")  # MATLAB stores column by column


def _array_class(parts: list[Element], order: ByteOrder) -> int:
    return int(np.frombuffer(parts[0][1], f"{order}u4")[0]) & 0xFF
