"""What an exported graph costs, read from the file without an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from mmap import mmap
from pathlib import Path

from swiftseg.runtimes import onnx_graph
from swiftseg.runtimes.model_file import opened_message
from swiftseg.runtimes.onnx_graph import Node, graph_of, read_node, read_value
from swiftseg.runtimes.protobuf import Field, numbers, texts, within

_TENSOR_DIMS = 1  # of TensorProto in onnx.proto

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


def graph_costs(path: Path) -> GraphCosts:
    """Return the costs of a file that `swiftseg.runtimes.read_spec` has found sound."""
    with opened_message(path) as message:
        graph = graph_of(message)
        nodes = [read_node(message, part) for part in within(message, graph, onnx_graph.NODE)]
        weights = dict(
            _tensor(message, part) for part in within(message, graph, onnx_graph.INITIALIZER)
        )
        parts = within(message, graph, onnx_graph.INPUT, onnx_graph.OUTPUT, onnx_graph.VALUE)
        values = [read_value(message, part) for part in parts]
    shapes = {value.name: tuple(dim or 0 for dim in value.dims) for value in values}  # free ones 0
    for node in nodes:
        if node.op == "DequantizeLinear" and node.inputs[0] in weights:
            weights[node.outputs[0]] = weights[node.inputs[0]]
    return GraphCosts(
        _parameters(nodes, weights), _gmacs(nodes, weights, shapes), path.stat().st_size
    )


def _parameters(nodes: Sequence[Node], weights: Mapping[str, Shape]) -> int:
    trained = {
        name for node in nodes if node.op in _TRAINED for name in node.inputs[1:] if name in weights
    }
    return sum(prod(weights[name]) for name in trained)


def _gmacs(
    nodes: Sequence[Node], weights: Mapping[str, Shape], shapes: Mapping[str, Shape]
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


def _tensor(message: mmap, part: Field) -> tuple[str, Shape]:
    """Read the name and the shape of weights, not the weights."""
    sizes = numbers(message, part.start, part.end)
    dims = tuple(size for number, size in sizes if number == _TENSOR_DIMS)
    return "".join(texts(message, part, onnx_graph.TENSOR_NAME)), dims
