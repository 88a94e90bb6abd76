"""Weights stored in half precision: half the file, the same graph in float32.

Each weight tensor becomes a constant of 16 bits and a Cast to 32, which the engines carry out once,
when they load the file. Nothing is computed in half precision, so every engine and machine runs the
file at the speed of the float32 one. ENet's weights take 0.7 MB so, as its paper says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.core.files import check_suffix, replacing
from swiftseg.exporting.checked_export import drawn_frames
from swiftseg.exporting.onnx_file import save_onnx
from swiftseg.runtimes import BACKENDS, load_backend, read_spec
from swiftseg.runtimes.base import equal_labels

LEAST_VALUES = 128  # of a tensor; below, its Cast takes what is saved
LEAST_EQUAL_LABELS = 0.99
MOST_HALF = float(np.finfo(np.float16).max)
SUFFIX = "_in_half"


@dataclass(frozen=True)
class HalfReport:
    """What half precision costs and gains.

    Attributes:
        equal_labels: Share of pixels whose label is the float32 file's, in the worst engine, 0..1.
    """

    frames: int
    equal_labels: float
    float_bytes: int
    bytes: int


def halve_weights(
    source: Path, path: Path, *, frames: Iterable[np.ndarray] | None = None
) -> HalfReport:
    """Write an exported file once more with its weights in half precision.

    Args:
        source: A file that `export_onnx` wrote.
        path: Where the new one goes.
        frames: uint8 (*size_hw, 3), RGB, to compare both on; None takes drawn street scenes.

    Raises:
        UsageError: The path does not end in .onnx.
        SwiftsegError: An engine gives too few of the float32 file's labels, or the file cannot be
            written.
    """
    check_suffix(path, ".onnx")
    model = onnx.load(source)
    store_in_half(model.graph)
    onnx.checker.check_model(model, full_check=True)
    compared = list(drawn_frames(read_spec(source).input) if frames is None else frames)
    with replacing(path) as temporary:
        save_onnx(model, temporary)
        equal_labels = min(_equal_labels(source, temporary, compared))
        if equal_labels < LEAST_EQUAL_LABELS:
            raise SwiftsegError(
                f"{path} not written: in half precision {equal_labels:.2%} of the labels are those "
                f"of {source} (at least {LEAST_EQUAL_LABELS:.0%}); keep float32"
            )
        size = temporary.stat().st_size
    return HalfReport(len(compared), equal_labels, source.stat().st_size, size)


def store_in_half(graph: onnx.GraphProto) -> int:
    """Store a graph's weight tensors in 16 bits, in place; return how many.

    Tensors of few values stay, and so do those with values that half precision cannot hold.
    """
    casts: list[onnx.NodeProto] = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < LEAST_VALUES:
            continue
        values = numpy_helper.to_array(weight)
        if not np.abs(values).max() <= MOST_HALF:  # NaN is not either
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + SUFFIX))
        casts.append(
            helper.make_node("Cast", [name + SUFFIX], [name], name + "_cast", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return len(casts)


def _equal_labels(source: Path, path: Path, frames: list[np.ndarray]) -> Iterable[float]:
    """Compare both files in every engine that is installed."""
    for name in BACKENDS:
        try:
            before, after = load_backend(source, name=name), load_backend(path, name=name)
        except MissingExtraError:
            continue
        yield equal_labels(before, after, frames)
