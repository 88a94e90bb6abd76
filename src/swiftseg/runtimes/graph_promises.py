"""What the graph of an exported file must be, read from the file before an engine loads it."""

from mmap import mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.runtimes import onnx_graph
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.model_file import check_digest, opened_message, read_spec
from swiftseg.runtimes.onnx_graph import graph_of, read_node, read_value
from swiftseg.runtimes.protobuf import Field, fields, parts, text, within

# Of onnx.proto, beside what `onnx_graph` knows.
_FUNCTION, _SPARSE, _ATTRIBUTE_GRAPHS = 25, 15, (6, 11)
_GRAPH_TAGS = (b"2", b"Z")  # the bytes that such fields begin with
_TENSOR_DATA_TYPE, _TENSOR_RAW, _TENSOR_EXTERNAL = 2, 9, 13
_UINT8, _UINT16, _HALF = 2, 4, 10
_ELEMENTS = {onnx_graph.FLOAT: "float32", _UINT8: "uint8", _UINT16: "uint16"}
_FLOATS = {onnx_graph.FLOAT: np.dtype("<f4"), _HALF: np.dtype("<f2")}

Dims = tuple[int | None, ...]


class GraphEnd(NamedTuple):
    """A graph's input or output: its name, element type and shape; a free dimension is None."""

    name: str
    element: str
    dims: Dims

    def fits(self, promised: "GraphEnd") -> bool:
        """Whether it is what is promised, as far as its shape is known."""
        return (
            (self.name, self.element) == (promised.name, promised.element)
            and len(self.dims) == len(promised.dims)
            and (self.dims[0] is None or promised.dims[0] is not None)
            and all(own in (None, d) for own, d in zip(self.dims, promised.dims, strict=True))
        )

    def __str__(self) -> str:
        shape = ", ".join("N" if dim is None else str(dim) for dim in self.dims)
        return f"{self.name} {self.element} ({shape})"


def read_checked(path: Path) -> ModelSpec:
    """Read what an exported file says of itself, once the file is what was written and says.

    Raises:
        SwiftsegError: It is not; or as `read_spec`.
    """
    spec = read_spec(path)
    check_digest(path)
    check_promises(path, spec)
    return spec


def check_promises(path: Path, spec: ModelSpec) -> None:
    """Compare a file's graph with what its spec promises, and refuse what engines choke on.

    Raises:
        SwiftsegError: Inputs or outputs have another name, type, size or number of classes;
            weights are NaN or infinite, or not in the file; or the graph has a cycle or holds
            other graphs.
    """
    with opened_message(path) as message:
        graph, model = graph_of(message), fields(message, 0, len(message))
        held = fields(message, graph.start, graph.end)
        _check_values(path, message, held, spec)
        if any(part.number == _FUNCTION for part in model) or _of(held, _SPARSE):
            raise _not_ours(path, "functions or sparse weights")
        names = {_check_weights(path, message, part) for part in _of(held, onnx_graph.INITIALIZER)}
        _check_order(path, message, _of(held, onnx_graph.NODE), {INPUT_NAME, *names})


def _check_values(path: Path, message: mmap, held: list[Field], spec: ModelSpec) -> None:
    (height, width), num_classes = spec.input.size_hw, len(spec.labels)
    inputs = [_value(message, part) for part in _of(held, onnx_graph.INPUT)]
    outputs = [_value(message, part) for part in _of(held, onnx_graph.OUTPUT)]
    frames = GraphEnd(INPUT_NAME, spec.input.dtype, (None, height, width, spec.input.bands))
    scores = GraphEnd("logits", "float32", (None, num_classes, height, width))
    if spec.output == "labels":
        promised = [GraphEnd("labels", "uint8", (None, height, width)), scores]
    else:
        promised = [scores._replace(name=spec.output)]
    if spec.output == "labels" and "logits" not in [value.name for value in outputs]:
        raise SwiftsegError(f"{path} holds no logits beside its labels; export the model again")
    for found, expected in ((inputs, [frames]), (outputs, promised)):
        if len(found) != len(expected) or not all(map(GraphEnd.fits, found, expected)):
            raise SwiftsegError(
                f"{path}: expected {' and '.join(map(str, expected))}, as it describes itself, got "
                f"{' and '.join(map(str, found)) or 'nothing'}; export the model again"
            )


def _check_weights(path: Path, message: mmap, tensor: Field) -> str:
    """Check one tensor of the graph and return its name."""
    read = parts(message, tensor.start, tensor.end)
    found = {part.number: part for part in read.fields}
    name = text(message, found[onnx_graph.TENSOR_NAME])
    if _TENSOR_EXTERNAL in found:
        raise _not_ours(path, f"{name} in another file")
    kind = _FLOATS.get(dict(read.numbers).get(_TENSOR_DATA_TYPE, 0))
    raw = found.get(_TENSOR_RAW)
    if kind is None or raw is None:
        return name
    values = np.frombuffer(message[raw.start : raw.end], kind)
    if values.size > 1 and not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise SwiftsegError(
            f"{path}: refused, {count} of the {values.size} values of {name} are NaN or infinite; "
            "export the model again from whole weights"
        )
    return name


def _check_order(path: Path, message: mmap, nodes: list[Field], known: set[str]) -> None:
    """Check that each operator reads what stands before it, so that there is no cycle."""
    for node in (read_node(message, field) for field in nodes):
        unknown = next((name for name in node.inputs if name and name not in known), None)
        if unknown is not None:
            raise SwiftsegError(
                f"{path}: refused, its graph reads {unknown} before it is made; "
                "export the model again"
            )
        known.update(node.outputs)
        if any(_holds_graph(message, attribute) for attribute in node.attributes):
            raise _not_ours(path, "a graph within its graph")


def _holds_graph(message: mmap, attribute: Field) -> bool:
    content = message[attribute.start : attribute.end]
    if not any(tag in content for tag in _GRAPH_TAGS):
        return False  # nearly all of them, and reading each would take as long as a frame
    return any(within(message, attribute, *_ATTRIBUTE_GRAPHS))


def _value(message: mmap, field: Field) -> GraphEnd:
    name, element, dims = read_value(message, field)
    return GraphEnd(name, _ELEMENTS.get(element, f"element type {element}"), dims)


def _of(held: list[Field], number: int) -> list[Field]:
    return [part for part in held if part.number == number]


def _not_ours(path: Path, what: str) -> SwiftsegError:
    return SwiftsegError(
        f"{path}: refused, it holds {what}, which swiftseg does not export; export the model again"
    )
