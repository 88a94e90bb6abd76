"""The parts of an .onnx file's graph, read without an engine and without the onnx package.

The field numbers are those of onnx.proto.
"""

from collections import defaultdict
from mmap import mmap
from typing import NamedTuple

from swiftseg.runtimes.protobuf import Field, fields, numbers, text, texts, within

GRAPH = 7  # of ModelProto
NODE, INITIALIZER, INPUT, OUTPUT, VALUE = 1, 5, 11, 12, 13  # of GraphProto
TENSOR_NAME = 8  # of TensorProto
VALUE_NAME, VALUE_TYPE = 1, 2  # of ValueInfoProto
TYPE_TENSOR, ELEMENT, SHAPE, DIM = 1, 1, 2, 1  # of TypeProto, and in what it holds
FLOAT = 1  # of the element types

_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _ATTRIBUTE, _DIM_VALUE = 1, 2, 4, 5, 1


class Node(NamedTuple):
    """One operator."""

    field: Field
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: list[Field]


class Value(NamedTuple):
    """A map's name, the number of its element type, and its shape; a free dimension is None."""

    name: str
    element: int
    dims: tuple[int | None, ...]


def graph_of(message: mmap) -> Field:
    """Find the graph of a file; raise ValueError where there is none, or several."""
    [graph] = within(message, Field(0, 0, 0, len(message)), GRAPH)
    return graph


def read_node(message: mmap, field: Field) -> Node:
    """Read an operator."""
    found: dict[int, list[Field]] = defaultdict(list)
    for part in fields(message, field.start, field.end):
        found[part.number].append(part)
    op, inputs, outputs = (
        [text(message, part) for part in found[number]]
        for number in (_NODE_OP, _NODE_INPUT, _NODE_OUTPUT)
    )
    return Node(field, "".join(op), inputs, outputs, found[_ATTRIBUTE])


def read_value(message: mmap, field: Field) -> Value:
    """Read the description of a map: an input, an output or what lies between."""
    element, dims = 0, list[Field]()
    for kind in within(message, field, VALUE_TYPE):
        for tensor in within(message, kind, TYPE_TENSOR):
            element = dict(numbers(message, tensor.start, tensor.end)).get(ELEMENT, 0)
            for shape in within(message, tensor, SHAPE):
                dims += within(message, shape, DIM)
    sizes = (dict(numbers(message, dim.start, dim.end)).get(_DIM_VALUE) for dim in dims)
    return Value("".join(texts(message, field, VALUE_NAME)), element, tuple(sizes))
