"""The description inside an exported .onnx file, read without loading the network.

An ONNX file is one protobuf message (onnx.proto, `ModelProto`). Its metadata is field 14, entries
of a key (1) and a value (2); the graph, nearly all of the file, is field 7. Skipping what is not
asked for takes no engine and no protobuf package, so that listing models costs nothing.
"""

from mmap import ACCESS_READ, mmap
from pathlib import Path

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.runtimes.protobuf import Field, fields, text

METADATA_KEY = "swiftseg"

_GRAPH, _METADATA = 7, 14
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


def _read_metadata(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as message:
            parts = list(fields(message, 0, len(message)))
            metadata = dict(_entry(message, part) for part in parts if part.number == _METADATA)
    except FileNotFoundError as error:
        raise SwiftsegError(f"no such model file: {path}") from error
    except OSError as error:
        raise SwiftsegError(f"cannot read {path}: {error.strerror}") from error
    except (IndexError, KeyError, ValueError) as error:
        raise SwiftsegError(f"{path} is no ONNX file, or a damaged one") from error
    if not any(part.number == _GRAPH for part in parts):
        raise SwiftsegError(f"{path} is no ONNX file: it holds no graph")
    return metadata


def _entry(message: mmap, entry: Field) -> tuple[str, str]:
    """Read one metadata entry; a value that is left out is empty."""
    parts = {part.number: text(message, part) for part in fields(message, entry.start, entry.end)}
    return parts[_ENTRY_KEY], parts.get(_ENTRY_VALUE, "")
