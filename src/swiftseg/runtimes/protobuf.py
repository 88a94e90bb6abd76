"""Protobuf's wire format, as far as reading and cutting an .onnx file takes it.

A message is a sequence of fields: a tag (number and wire type) and a value. Strings, byte strings
and messages within are a length and so many bytes; they and integers are all that is of interest.
"""

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


class Parts(NamedTuple):
    """What is of interest in a message, in its order.

    Attributes:
        fields: The length-delimited fields.
        numbers: The integer fields, number and value.
    """

    fields: list[Field]
    numbers: list[tuple[int, int]]


def parts(message: mmap | bytes, start: int, end: int) -> Parts:
    """Read the fields of a message.

    Raises:
        ValueError, IndexError: This is no message.
    """
    found = Parts([], [])
    position = start
    while position < end:
        begin, tag = position, message[position]
        position += 1
        if tag > _ONE_BYTE:
            tag, position = _varint(message, begin)
        kind = tag & 7
        if kind in (_VARINT, _BYTES):
            length = message[position]  # most are this short, and a graph has many
            position += 1
            if length > _ONE_BYTE:
                length, position = _varint(message, position - 1)
            if kind == _VARINT:
                found.numbers.append((tag >> 3, length))
                continue
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")
        if position + length > end:
            raise ValueError("a field runs past the end")
        if kind == _BYTES:
            found.fields.append(Field(tag >> 3, begin, position, position + length))
        position += length
    return found


def fields(message: mmap | bytes, start: int, end: int) -> list[Field]:
    """Return the length-delimited fields of a message; raise as `parts` does."""
    return parts(message, start, end).fields


def numbers(message: mmap | bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return the integer fields of a message, number and value; raise as `parts` does."""
    return parts(message, start, end).numbers


def within(message: mmap | bytes, field: Field, *wanted: int) -> list[Field]:
    """Return the length-delimited fields of these numbers in a message that is a field."""
    return [part for part in fields(message, field.start, field.end) if part.number in wanted]


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
