"""Protobuf's wire format, as far as reading and cutting an .onnx file takes it.

A message is a sequence of fields: a tag (number and wire type) and a value. Strings, byte strings
and messages within are a length and so many bytes; they and integers are all that is of interest.
"""

from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ONE_BYTE = 0x7F  # the most that a number of one byte holds


class Field(NamedTuple):
    """One length-delimited field; positions are those in the whole file.

    Attributes:
        number: As the .proto file has it.
        begin: Where its tag stands.
        start, end: Where its bytes start and end.
    """

    number: int
    begin: int
    start: int
    end: int


def fields(message: mmap | bytes, start: int, end: int) -> Iterator[Field]:
    """Yield the length-delimited fields of a message, without the others.

    Raises:
        ValueError, IndexError: This is no message.
    """
    return (part for part in _parts(message, start, end) if isinstance(part, Field))


def numbers(message: mmap | bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the integer fields of a message, number and value; raise as `fields` does."""
    return (part for part in _parts(message, start, end) if not isinstance(part, Field))


def within(message: mmap | bytes, field: Field, *wanted: int) -> Iterator[Field]:
    """Yield the length-delimited fields of these numbers in a message that is a field."""
    return (part for part in fields(message, field.start, field.end) if part.number in wanted)


def texts(message: mmap | bytes, field: Field, number: int) -> list[str]:
    """Read the strings of this number in a message that is a field."""
    return [text(message, part) for part in within(message, field, number)]


def text(message: mmap | bytes, field: Field) -> str:
    """Read a string."""
    return str(message[field.start : field.end], "utf-8")


def encoded_field(number: int, content: bytes) -> bytes:
    """Write a length-delimited field."""
    return _encoded_varint(number << 3 | _BYTES) + _encoded_varint(len(content)) + content


def encoded_number(number: int, value: int) -> bytes:
    """Write a field that holds an integer, zero at least."""
    return _encoded_varint(number << 3 | _VARINT) + _encoded_varint(value)


def _parts(message: mmap | bytes, start: int, end: int) -> Iterator[Field | tuple[int, int]]:
    position = start
    while position < end:
        begin, tag = position, message[position]
        position += 1
        if tag > _ONE_BYTE:
            tag, position = _varint(message, begin)
        kind = tag & 7
        if kind in (_VARINT, _BYTES):
            value = message[position]  # most are this short, and a graph has many
            position += 1
            if value > _ONE_BYTE:
                value, position = _varint(message, position - 1)
            if kind == _VARINT:
                yield tag >> 3, value
                continue
            length = value
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")
        if position + length > end:
            raise ValueError("a field runs past the end")
        if kind == _BYTES:
            yield Field(tag >> 3, begin, position, position + length)
        position += length


def _varint(message: mmap | bytes, position: int) -> tuple[int, int]:
    """Read a base-128 number, lowest seven bits first; return it and the position behind it."""
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _encoded_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
