"""Formats of runtimes on boards: one file a format, each imported when it is asked for.

To add one, write a module with `write` and add a line to `FORMATS`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from swiftseg.exporting.formats.score_graph import ScoreGraph


class Write(Protocol):
    """What a format's module offers.

    It writes a graph's files into an empty folder and returns the names of its input and output.
    It raises SwiftsegError, without a file's name, where the format lacks an operator.
    """

    def __call__(self, graph: ScoreGraph, folder: Path, precision: str) -> tuple[str, str]: ...


def _coreml() -> Write:
    from swiftseg.exporting.formats.coreml import write

    return write


def _executorch() -> Write:
    from swiftseg.exporting.formats.executorch import write

    return write


def _litert() -> Write:
    from swiftseg.exporting.formats.litert import write

    return write


def _ncnn() -> Write:
    from swiftseg.exporting.formats.ncnn import write

    return write


def _openvino() -> Write:
    from swiftseg.exporting.formats.openvino import write

    return write


class Format(NamedTuple):
    """A format that a network can be exported to.

    Attributes:
        find: Imports the format's module and returns its `write`.
        precisions: What it stores weights in, its default first.
        package: The package whose version the description names.
    """

    find: Callable[[], Write]
    precisions: tuple[str, ...]
    package: str


FORMATS: Mapping[str, Format] = {
    "coreml": Format(_coreml, ("f32", "fp16"), "coremltools"),
    "executorch": Format(_executorch, ("f32",), "executorch"),
    "litert": Format(_litert, ("f32",), "litert-torch"),
    "ncnn": Format(_ncnn, ("f32", "fp16"), "pnnx"),
    "openvino": Format(_openvino, ("f32", "fp16"), "openvino"),
}
