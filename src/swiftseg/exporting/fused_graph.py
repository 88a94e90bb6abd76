"""A graph as ONNX Runtime fuses it, read without the onnx package."""

import tempfile
from collections import defaultdict
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from swiftseg.runtimes import onnx_graph
from swiftseg.runtimes.model_file import opened_message
from swiftseg.runtimes.onnx_graph import graph_of, read_node, read_value
from swiftseg.runtimes.protobuf import Field, parts, text

_DIMS, _DATA_TYPE, _RAW = 1, 2, 9  # of TensorProto in onnx.proto
_UINT8 = 2  # of the element types
_KINDS = {onnx_graph.FLOAT: "<f4", 7: "<i8"}
_ATTRIBUTE_NAME, _INT, _TEXT, _INTS = 1, 3, 4, 8  # of AttributeProto

# The first splits channels as the processor at hand likes it.
_UNWANTED = ["NchwcTransformer"]


class Operator(NamedTuple):
    """One operator; the attributes are those that are text, integers or lists of integers."""

    op: str
    inputs: list[str]
    output: str
    texts: dict[str, str]
    numbers: dict[str, list[int]]


class FusedGraph(NamedTuple):
    """Operators in their order; weights, float32 or int64, and shapes of uint8 inputs by name."""

    operators: list[Operator]
    weights: dict[str, np.ndarray]
    inputs: dict[str, tuple[int, ...]]


def fused_graph(model: bytes) -> FusedGraph:
    """Read what ONNX Runtime makes of a model at batch size one; its free dimension is N."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors; it warns of what the cut has left without use
        options.optimized_model_filepath = str(path)
        options.add_free_dimension_override_by_name("N", 1)
        ort.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], disabled_optimizers=_UNWANTED
        )
        with opened_message(path) as message:
            return _read(message)


def _read(message: mmap) -> FusedGraph:
    graph = graph_of(message)
    held: dict[int, list[Field]] = defaultdict(list)
    for part in parts(message, graph.start, graph.end).fields:
        held[part.number].append(part)
    inputs = [read_value(message, part) for part in held[onnx_graph.INPUT]]
    weights = dict(_weight(message, part) for part in held[onnx_graph.INITIALIZER])
    return FusedGraph(
        [_operator(message, part) for part in held[onnx_graph.NODE]],
        {name: array for name, array in weights.items() if array is not None},
        {v.name: tuple(d or 0 for d in v.dims) for v in inputs if v.element == _UINT8},
    )


def _weight(message: mmap, tensor: Field) -> tuple[str, np.ndarray | None]:
    read = parts(message, tensor.start, tensor.end)
    found = {part.number: part for part in read.fields}
    name = text(message, found[onnx_graph.TENSOR_NAME])
    raw = found.get(_RAW)
    kind = _KINDS.get(dict(read.numbers).get(_DATA_TYPE, 0))
    if kind is None or raw is None:
        return name, None
    shape = [size for number, size in read.numbers if number == _DIMS]
    return name, np.frombuffer(message[raw.start : raw.end], kind).reshape(shape)


def _operator(message: mmap, field: Field) -> Operator:
    node = read_node(message, field)
    texts, numbers = dict[str, str](), dict[str, list[int]]()
    for attribute in node.attributes:
        read = parts(message, attribute.start, attribute.end)
        found = {part.number: part for part in read.fields}
        name = text(message, found[_ATTRIBUTE_NAME])
        numbers[name] = [value for number, value in read.numbers if number in (_INT, _INTS)]
        if _TEXT in found:
            texts[name] = text(message, found[_TEXT])
    return Operator(node.op, node.inputs, node.outputs[0], texts, numbers)
