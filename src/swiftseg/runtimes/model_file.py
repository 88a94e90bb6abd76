"""The description inside an exported .onnx file, read without loading the network.

An ONNX file is one protobuf message (onnx.proto, `ModelProto`). Its metadata is field 14, entries
of a key (1) and a value (2); the graph, nearly all of the file, is field 7. Skipping what is not
asked for takes no engine and no protobuf package, so that listing models costs nothing.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.runtimes.onnx_graph import GRAPH
from swiftseg.runtimes.protobuf import Field, encoded_field, fields, text

METADATA_KEY = "swiftseg"
DIGEST_KEY = "swiftseg_sha256"  # of all bytes of the file but those of this entry

_METADATA = 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


def read_spec(path: Path) -> ModelSpec:
    """Read the ModelSpec that an exported .onnx file carries.

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


def sealed(model: bytes) -> bytes:
    """Return the bytes of an .onnx file with their digest in its metadata, in place of any other.

    Raises:
        ValueError, IndexError: It is no ONNX file.
    """
    for begin, end in reversed([part for part, _ in _digests(model)]):
        model = model[:begin] + model[end:]
    digest = hashlib.sha256(model).hexdigest().encode()
    entry = encoded_field(_ENTRY_KEY, DIGEST_KEY.encode()) + encoded_field(_ENTRY_VALUE, digest)
    return model + encoded_field(_METADATA, entry)


def check_digest(path: Path) -> None:
    """Compare a file with the digest that it carries; files of older versions carry none.

    Raises:
        SwiftsegError: It is not the file that was exported.
    """
    with opened_message(path) as message:
        for (begin, end), expected in _digests(message):
            with memoryview(message) as view, view[:begin] as before, view[end:] as after:
                digest = hashlib.sha256(before)
                digest.update(after)
            if digest.hexdigest() != expected:
                raise SwiftsegError(
                    f"{path}: refused, it is damaged or was changed after its export; copy it "
                    f"again, or export the model again (its metadata key {DIGEST_KEY} has the "
                    "digest it was written with)"
                )


@contextmanager
def opened_message(path: Path) -> Generator[mmap]:
    """Yield the bytes of an .onnx file; errors in walking through them become one line.

    Raises:
        SwiftsegError: The file cannot be read, or is no ONNX file.
    """
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as message:
            yield message
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such model file: {path}") from error
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except (IndexError, KeyError, ValueError) as error:
        raise SwiftsegError(f"{path} is no ONNX file, or a damaged one") from error


def _digests(message: mmap | bytes) -> list[tuple[tuple[int, int], str]]:
    """Return the place of each entry that holds a digest, and the digest."""
    parts = [part for part in fields(message, 0, len(message)) if part.number == _METADATA]
    entries = [(part, _entry(message, part)) for part in parts]
    return [((part.begin, part.end), value) for part, (key, value) in entries if key == DIGEST_KEY]


def _read_metadata(path: Path) -> dict[str, str]:
    with opened_message(path) as message:
        parts = fields(message, 0, len(message))
        metadata = dict(_entry(message, part) for part in parts if part.number == _METADATA)
    if not any(part.number == GRAPH for part in parts):
        raise SwiftsegError(f"{path} is no ONNX file: it holds no graph")
    return metadata


def _entry(message: mmap | bytes, entry: Field) -> tuple[str, str]:
    """Read one metadata entry; a value that is left out is empty."""
    parts = {part.number: text(message, part) for part in fields(message, entry.start, entry.end)}
    return parts[_ENTRY_KEY], parts.get(_ENTRY_VALUE, "")
