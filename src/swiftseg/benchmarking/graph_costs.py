"""What an exported graph costs, read from the file without an engine and without the onnx package.

An ONNX file is one protobuf message; the field numbers below are those of onnx.proto.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path

from swiftseg.runtimes.protobuf import Field, numbers, texts, within

_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE = 1, 5, 11, 12, 13  # of GraphProto
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP = 1, 2, 4  # of NodeProto
_TENSOR_DIMS, _TENSOR_NAME = 1, 8  # of TensorProto
_VALUE_NAME, _VALUE_TYPE = 1, 2  # of ValueInfoProto; in the type: tensor 1, shape 2, dim 1, size 1
_TENSOR_TYPE, _SHAPE, _DIM, _DIM_VALUE = 1, 2, 1, 1

_TRAINED = ("Conv", "ConvTranspose", "Gemm", "PRelu", "BatchNormalization")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphCosts:
    """What a file costs.

    Attributes:
        parameters: The weights of its convolutions and activations. They are not quite as many as
            in training: normalization is folded into them, and a transposed convolution that an
            export has turned into an ordinary one holds zeros.
        gmacs: Multiply-accumulates of its convolutions for one frame, in 10^9, or None where the
            file does not tell the sizes of all maps.
        file_bytes: Its size.
    """

    parameters: int
    gmacs: float | None
    file_bytes: int


@dataclass(frozen=True)
class _Node:
    op: str
    inputs: Sequence[str]
    outputs: Sequence[str]


def graph_costs(path: Path) -> GraphCosts:
    """Return the costs of a file that `swiftseg.runtimes.read_spec` has found sound."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as message:
        whole = Field(0, 0, 0, len(message))
        graph = next(within(message, whole, _GRAPH))
        nodes = [_node(message, part) for part in within(message, graph, _NODE)]
        weights = dict(_tensor(message, part) for part in within(message, graph, _INITIALIZER))
        values = within(message, graph, _INPUT, _OUTPUT, _VALUE)
        shapes = dict(_value(message, part) for part in values)
    for node in nodes:
        if node.op == "DequantizeLinear" and node.inputs[0] in weights:
            weights[node.outputs[0]] = weights[node.inputs[0]]
    return GraphCosts(
        _parameters(nodes, weights), _gmacs(nodes, weights, shapes), path.stat().st_size
    )


def _parameters(nodes: Sequence[_Node], weights: Mapping[str, Shape]) -> int:
    trained = {
        name for node in nodes if node.op in _TRAINED for name in node.inputs[1:] if name in weights
    }
    return sum(prod(weights[name]) for name in trained)


def _gmacs(
    nodes: Sequence[_Node], weights: Mapping[str, Shape], shapes: Mapping[str, Shape]
) -> float | None:
    """Count each weight once a pixel: of the map given, or, transposed, of the map taken."""
    macs = 0
    for node in nodes:
        if node.op not in ("Conv", "ConvTranspose"):
            continue
        map_name = node.outputs[0] if node.op == "Conv" else node.inputs[0]
        size_hw = shapes.get(map_name, ())[2:]
        if node.inputs[1] not in weights or len(size_hw) != 2 or 0 in size_hw:
            return None
        macs += prod(size_hw) * prod(weights[node.inputs[1]])
    return macs / 1e9


def _node(message: mmap, part: Field) -> _Node:
    inputs, outputs = texts(message, part, _NODE_INPUT), texts(message, part, _NODE_OUTPUT)
    return _Node("".join(texts(message, part, _NODE_OP)), inputs, outputs)


def _tensor(message: mmap, part: Field) -> tuple[str, Shape]:
    """Read the name and the shape of weights, not the weights."""
    sizes = numbers(message, part.start, part.end)
    dims = tuple(size for number, size in sizes if number == _TENSOR_DIMS)
    return "".join(texts(message, part, _TENSOR_NAME)), dims


def _value(message: mmap, part: Field) -> tuple[str, Shape]:
    """Read a map's name and shape; a free size, such as N, becomes 0."""
    dims = [part]
    for step in (_VALUE_TYPE, _TENSOR_TYPE, _SHAPE, _DIM):
        dims = [inner for outer in dims for inner in within(message, outer, step)]
    sizes = (dict(numbers(message, dim.start, dim.end)).get(_DIM_VALUE, 0) for dim in dims)
    return "".join(texts(message, part, _VALUE_NAME)), tuple(sizes)
