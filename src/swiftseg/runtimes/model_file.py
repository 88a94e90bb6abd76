"""The description inside an exported .onnx file, read without loading the network.

An ONNX file is one protobuf message (onnx.proto, `ModelProto`). Its metadata is field 14, entries
of a key (1) and a value (2); the graph, nearly all of the file, is field 7. Skipping what is not
asked for takes no engine and no protobuf package, so that listing models costs nothing.
"""

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from swiftseg.core import ModelSpec, SwiftsegError

METADATA_KEY = "swiftseg"

_GRAPH, _METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_spec(path: Path) -> ModelSpec:
    """Reads the ModelSpec that an exported .onnx file carries.

    Raises:
        SwiftsegError: The file is missing, no ONNX file, or none that swiftseg has exported.
    """
    metadata = _read_metadata(path)
    if METADATA_KEY not in metadata:
        raise SwiftsegError(
            f"{path} is an ONNX file that swiftseg did not export: it names no classes and no "
            "input size; export the checkpoint with `swiftseg export`"
        )
    try:
        return ModelSpec.from_json(metadata[METADATA_KEY])
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: {error}") from error


def _read_metadata(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as message:
            fields = list(_fields(message, 0, len(message)))
            metadata = dict(
                _entry(message, *span) for number, *span in fields if number == _METADATA
            )
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such model file: {path}") from error
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except (IndexError, KeyError, ValueError) as error:
        raise SwiftsegError(f"{path} is no ONNX file, or a damaged one") from error
    if not any(number == _GRAPH for number, *_ in fields):
        raise SwiftsegError(f"{path} is no ONNX file: it holds no graph")
    return metadata


def _entry(message: mmap, start: int, end: int) -> tuple[str, str]:
    """Reads one metadata entry; a value that is left out is empty."""
    parts = {number: str(message[a:b], "utf-8") for number, a, b in _fields(message, start, end)}
    return parts[_ENTRY_KEY], parts.get(_ENTRY_VALUE, "")


def _fields(message: mmap, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yields (field number, start, end) of the length-delimited fields and skips the others."""
    while position < end:
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            _, position = _varint(message, position)
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")
        if position + length > end:
            raise ValueError("a field runs past the end")
        if kind == _BYTES:
            yield tag >> 3, position, position + length
        position += length


def _varint(message: mmap, position: int) -> tuple[int, int]:
    """Reads a base-128 number, lowest seven bits first; gives it and the position behind it."""
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
