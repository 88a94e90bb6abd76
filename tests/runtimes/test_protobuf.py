from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest
from onnx import StringStringEntryProto

from swiftseg.runtimes.protobuf import encoded_field, encoded_number, fields, numbers, text


@pytest.fixture
def opened(tmp_path: Path):
    def read(content: bytes) -> mmap:
        path = tmp_path / "message"
        path.write_bytes(content)
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    return read


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384])
def test_what_is_written_is_what_protobuf_writes(length: int):
    entry = StringStringEntryProto(key="k", value="v" * length)
    assert encoded_field(1, b"k") + encoded_field(2, b"v" * length) == entry.SerializeToString()


def test_texts_are_found_between_other_fields(opened):
    message = opened(
        encoded_number(3, 1 << 40) + encoded_field(1, "é".encode()) + b"\x25four" + b"\x21eight..."
    )
    [field] = fields(message, 0, len(message))
    assert (field.number, text(message, field)) == (1, "é")
    assert message[field.begin : field.end] == encoded_field(1, "é".encode())
    assert numbers(message, 0, len(message)) == [(3, 1 << 40)]


@pytest.mark.parametrize("content", [b"\x0a\x05abc", b"\x0f", b"\x80" * 11 + b"\x01", b"\x0a"])
def test_what_is_no_message_is_refused(opened, content: bytes):
    message = opened(content)
    with pytest.raises((ValueError, IndexError)):
        fields(message, 0, len(message))
