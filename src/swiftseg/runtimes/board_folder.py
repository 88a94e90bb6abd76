"""A model exported for a board: a folder with the runtime's files and `swiftseg.json`.

The runtimes of boards have no common place for a description, and some need several files. So the
description stands beside them, and names what a program needs to run them:

- `format`, `precision`, `runtime`: the runtime, what it computes or stores in, and its version.
- `files`: the SHA-256 of every file, by name.
- `input`: its name; float32 (1, 3, H, W), RGB in 0..255, normalized inside the graph.
- `output`: its name; float32 scores (1, C, h, w).
- `upsampling`: how the scores become as large as the frames: `none`, `half_pixel` or
  `align_corners`, as in include/swiftseg.h.
- `spec`: name, classes, colors, input size, license and scores, as in an exported .onnx file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.core.files import reading

DESCRIPTION = "swiftseg.json"

UPSAMPLINGS: Mapping[str, bool | None] = {
    "none": None,
    "half_pixel": False,
    "align_corners": True,
}


@dataclass(frozen=True)
class BoardModel:
    """What the description of an exported folder says; see the module.

    Attributes:
        format: Such as `ncnn`.
        precision: `f32` or `fp16`.
        runtime: The version of the package that wrote the files, by name.
        files: SHA-256 by file name.
        upsampling: One of `UPSAMPLINGS`.
    """

    format: str
    precision: str
    runtime: dict[str, str]
    files: dict[str, str]
    input: str
    output: str
    upsampling: str
    spec: ModelSpec

    def write(self, folder: Path) -> None:
        """Write the description into the folder."""
        fields = {**asdict(self), "spec": self.spec.to_dict()}
        (folder / DESCRIPTION).write_text(json.dumps(fields, indent=1), encoding="utf-8")


def is_board_folder(path: Path) -> bool:
    """Whether a path is a folder that was exported for a board."""
    return (path / DESCRIPTION).is_file()


def read_board_folder(folder: Path) -> BoardModel:
    """Read a folder's description and compare its files with it.

    Raises:
        SwiftsegError: There is no such folder, or a file in it is missing, damaged or another one.
    """
    path = folder / DESCRIPTION
    with reading(path):
        content = path.read_bytes()
    try:
        fields = cast(dict[str, Any], json.loads(content.decode()))
        fields["spec"] = ModelSpec.from_dict(fields["spec"])
        model = BoardModel(**fields)
        _check_fields(model)
    except (
        *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
        SwiftsegError,
    ) as error:
        raise SwiftsegError(f"{path} is damaged, or of another version: {error}") from error
    for name, digest in model.files.items():
        if digest_of(folder / name) != digest:
            raise SwiftsegError(
                f"{folder / name} is not the file that was exported with {DESCRIPTION}; copy the "
                "whole folder again, or export the model again"
            )
    return model


def _check_fields(model: BoardModel) -> None:
    """Raise ValueError where a field is of another type, or a file is not in the folder."""
    for name in ("format", "precision", "input", "output", "upsampling"):
        if not isinstance(getattr(model, name), str):
            raise ValueError(f"its {name} is no text")
    if model.upsampling not in UPSAMPLINGS:
        raise ValueError(f"unknown upsampling {model.upsampling!r}")
    for name in model.files:
        if Path(name).name != name:
            raise ValueError(f"{name!r} is no file of this folder")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        SwiftsegError: It cannot be read.
    """
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
