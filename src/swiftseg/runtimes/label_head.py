"""The end of a labels graph, taken out of the engine.

A file that gives labels ends in an argmax over its logits, and those mostly in a bilinear
upsampling. An engine computes both far slower than `upsample_argmax` does, and runs a graph to its
end whatever outputs are asked for. So the graph is cut before them when it is loaded: the file
stays one that everyone can run, and needs to name nothing, since the nodes cut off tell how the
labels are made.
"""

from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from swiftseg.runtimes import onnx_graph
from swiftseg.runtimes.onnx_graph import Node, graph_of, read_node
from swiftseg.runtimes.protobuf import (
    Field,
    encoded_field,
    encoded_number,
    fields,
    text,
    texts,
)

_ATTRIBUTE_NAME, _ATTRIBUTE_STRING = 1, 4  # of AttributeProto in onnx.proto

# From labels back to logits; the transposition brings the classes last, as some engines like it.
_LABEL_STEPS = ("Cast", "ArgMax", "Transpose")

# Of Resize, what torch's align_corners means.
_ALIGN_CORNERS = {"half_pixel": False, "align_corners": True}


@dataclass(frozen=True)
class LabelHead:
    """A graph without its end, and what that end was.

    Attributes:
        model: The .onnx file whose only output is `scores`, float32 (N, C, h, w).
        scores: The output's name.
        align_corners: How the scores are upsampled; None where they have the labels' size.
    """

    model: bytes
    scores: str
    align_corners: bool | None


def cut_label_head(path: Path) -> LabelHead | None:
    """Cut a labels file before its argmax, and before the upsampling where that comes last.

    Return None where the labels are made in another way and the graph has to run as it is, and for
    a damaged graph, which the engine then refuses in its own words.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as message:
        try:
            return _cut_message(message)
        except (IndexError, KeyError, StopIteration, ValueError):
            return None


def _cut_message(message: mmap) -> LabelHead | None:
    graph = graph_of(message)
    parts = fields(message, graph.start, graph.end)
    outputs = [
        texts(message, part, onnx_graph.VALUE_NAME)
        for part in parts
        if part.number == onnx_graph.OUTPUT
    ]
    nodes = [part for part in parts if part.number == onnx_graph.NODE]
    logits = _producer(message, nodes, "logits")
    if outputs != [["labels"], ["logits"]] or logits is None or not _is_argmax(message, nodes):
        return None
    align_corners, scores = _upsampling(message, logits), "logits"
    if align_corners is not None:
        scores = logits.inputs[0]
    last = _producer(message, nodes, scores)
    if last is None:  # what is upsampled is the graph's input or a constant
        return None
    return LabelHead(_cut(message, graph, parts, last.field, scores), scores, align_corners)


def _is_argmax(message: mmap, nodes: list[Field]) -> bool:
    """Whether the labels are the argmax of the logits."""
    value = "labels"
    for op_type in _LABEL_STEPS:
        node = _producer(message, nodes, value)
        if node is not None and node.op == op_type and node.inputs:
            value = node.inputs[0]
        elif op_type != "Transpose":
            return False
    return value == "logits"


def _upsampling(message: mmap, node: Node) -> bool | None:
    """Return `align_corners` of a bilinear Resize, or None for any other operator."""
    settings = dict(_text_attribute(message, attribute) for attribute in node.attributes)
    if node.op != "Resize" or settings.get("mode") != "linear":
        return None
    return _ALIGN_CORNERS.get(settings.get("coordinate_transformation_mode") or "half_pixel")


def _producer(message: mmap, nodes: list[Field], value: str) -> Node | None:
    """Find the operator that gives a value, from the end, where the labels are made."""
    parsed = (read_node(message, field) for field in reversed(nodes))
    return next((node for node in parsed if value in node.outputs), None)


def _text_attribute(message: mmap, field: Field) -> tuple[str, str]:
    """Return an attribute's name and its value where that is text, else nothing."""
    found = {part.number: part for part in fields(message, field.start, field.end)}
    value = found.get(_ATTRIBUTE_STRING)
    return text(message, found[_ATTRIBUTE_NAME]), text(message, value) if value else ""


def _cut(message: mmap, graph: Field, parts: list[Field], last: Field, scores: str) -> bytes:
    """Return the file without the operators behind `last` and with `scores` as its only output.

    Operators stand in an order in which each comes after those it reads from.
    """
    kept = [
        message[part.begin : part.end]
        for part in parts
        if part.number != onnx_graph.OUTPUT
        and not (part.number == onnx_graph.NODE and part.begin > last.begin)
    ]
    body = b"".join([*kept, encoded_field(onnx_graph.OUTPUT, _scores_value(scores))])
    return message[: graph.begin] + encoded_field(onnx_graph.GRAPH, body) + message[graph.end :]


def _scores_value(name: str) -> bytes:
    """Write the description of a float32 tensor of four dimensions that engines work out."""
    shape = encoded_field(onnx_graph.DIM, b"") * 4
    tensor = encoded_number(onnx_graph.ELEMENT, onnx_graph.FLOAT) + encoded_field(
        onnx_graph.SHAPE, shape
    )
    value_type = encoded_field(onnx_graph.TYPE_TENSOR, tensor)
    return encoded_field(onnx_graph.VALUE_NAME, name.encode()) + encoded_field(
        onnx_graph.VALUE_TYPE, value_type
    )
