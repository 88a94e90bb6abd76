"""What an exported graph costs, read from the file without an engine and without the onnx package.

An ONNX file is one protobuf message; the field numbers below are those of onnx.proto.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT, _VALUE = 1, 5, 11, 12, 13  # of GraphProto
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP = 1, 2, 4  # of NodeProto
_TENSOR_DIMS, _TENSOR_NAME = 1, 8  # of TensorProto
_VALUE_NAME, _VALUE_TYPE = 1, 2  # of ValueInfoProto; in the type: tensor 1, shape 2, dim 1, size 1
_TENSOR_TYPE, _SHAPE, _DIM, _DIM_VALUE = 1, 2, 1, 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_TRAINED = ("Conv", "ConvTranspose", "Gemm", "PRelu", "BatchNormalization")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class GraphCosts:
    """What a file costs.

    Attributes:
        parameters: The weights of its convolutions and activations. Batch normalization that is
            folded into them counts no more, so it is less than the network has in training.
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
    """Counts a file that `swiftseg.runtimes.read_spec` has found sound."""
    message = path.read_bytes()
    graph = next(part for number, part in _fields(message) if number == _GRAPH)
    assert isinstance(graph, bytes)
    parts = [(number, part) for number, part in _fields(graph) if isinstance(part, bytes)]
    nodes = [_node(part) for number, part in parts if number == _NODE]
    weights = dict(_tensor(part) for number, part in parts if number == _INITIALIZER)
    values = (_INPUT, _OUTPUT, _VALUE)
    shapes = dict(_value(part) for number, part in parts if number in values)
    for node in nodes:
        if node.op == "DequantizeLinear" and node.inputs[0] in weights:
            weights[node.outputs[0]] = weights[node.inputs[0]]
    return GraphCosts(_parameters(nodes, weights), _gmacs(nodes, weights, shapes), len(message))


def _parameters(nodes: Sequence[_Node], weights: Mapping[str, Shape]) -> int:
    trained = {
        name for node in nodes if node.op in _TRAINED for name in node.inputs[1:] if name in weights
    }
    return sum(prod(weights[name]) for name in trained)


def _gmacs(
    nodes: Sequence[_Node], weights: Mapping[str, Shape], shapes: Mapping[str, Shape]
) -> float | None:
    """Counts each weight once a pixel: of the map given, or, transposed, of the map taken."""
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


def _node(message: bytes) -> _Node:
    fields = [(number, part) for number, part in _fields(message) if isinstance(part, bytes)]
    inputs = [part.decode() for number, part in fields if number == _NODE_INPUT]
    outputs = [part.decode() for number, part in fields if number == _NODE_OUTPUT]
    return _Node(_bytes_of(message, _NODE_OP).decode(), inputs, outputs)


def _tensor(message: bytes) -> tuple[str, Shape]:
    fields = list(_fields(message))
    dims = tuple(part for number, part in fields if number == _TENSOR_DIMS and type(part) is int)
    return _bytes_of(message, _TENSOR_NAME).decode(), dims


def _value(message: bytes) -> tuple[str, Shape]:
    """Reads a map's name and shape; a free size, such as N, becomes 0."""
    tensor = _bytes_of(_bytes_of(message, _VALUE_TYPE), _TENSOR_TYPE)
    shape = _bytes_of(tensor, _SHAPE)
    dims = [part for number, part in _fields(shape) if number == _DIM and isinstance(part, bytes)]
    sizes = [dict(_fields(dim)).get(_DIM_VALUE, 0) for dim in dims]
    return _bytes_of(message, _VALUE_NAME).decode(), tuple(map(int, sizes))


def _bytes_of(message: bytes, wanted: int) -> bytes:
    """Gives the first length-delimited field of that number, or nothing where there is none."""
    found = (part for number, part in _fields(message) if number == wanted)
    return next((part for part in found if isinstance(part, bytes)), b"")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yields (field number, value) of the varint and the length-delimited fields."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
            continue
        value, position = _varint(message, position)
        if kind == _BYTES:
            yield tag >> 3, message[position : position + value]
            position += value
        elif kind == _VARINT:
            yield tag >> 3, value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Reads a base-128 number, lowest seven bits first; gives it and the position behind it."""
    value = shift = 0
    while message[position] >= 0x80:
        value |= (message[position] & 0x7F) << shift
        position, shift = position + 1, shift + 7
    return value | message[position] << shift, position + 1
