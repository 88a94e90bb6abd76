"""Formats of runtimes on boards: one file a format, each imported when it is asked for.

To add one, write a module with `write` and add a line to `FORMATS`.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:  # the names of the formats are known without torch
    from swiftseg.exporting.formats.score_graph import ScoreGraph


class Write(Protocol):
    """What a format's module offers.

    It writes a graph's files into an empty folder and returns the names of its input and output.
    For int8 it takes the ranges of activations from images float32 (1, 3, H, W), RGB in 0..255.
    It raises SwiftsegError, without a file's name, where the format lacks an operator.
    """

    def __call__(
        self, graph: "ScoreGraph", folder: Path, precision: str, images: Sequence[np.ndarray]
    ) -> tuple[str, str]: ...


class Format(NamedTuple):
    """A format that a network can be exported to.

    Attributes:
        precisions: What it stores weights in, its default first.
        package: The package whose version the description names.
    """

    precisions: tuple[str, ...]
    package: str


FORMATS: Mapping[str, Format] = {
    "coreml": Format(("f32", "fp16"), "coremltools"),
    "executorch": Format(("f32", "int8"), "executorch"),
    "litert": Format(("f32", "fp16", "int8"), "litert-torch"),
    "ncnn": Format(("f32", "fp16"), "pnnx"),
    "openvino": Format(("f32", "fp16", "int8"), "openvino"),
    "tensorrt": Format(("f32", "fp16", "int8"), "onnx"),
}


def find_write(name: str) -> Write:
    """Import the module of a format of `FORMATS` and return its `write`."""
    return import_module(f"{__name__}.{name}").write
