"""Max-unpooling by masks of full size, where the tracer leaves four phases and their shuffle.

Both engines shuffle pixels one element at a time; enlarging by repetition and multiplying by a mask
of the size before pooling is several times quicker in both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from swiftseg.exporting.graph import GraphEditor

# Of equal elements of a 2x2 block the first wins: the rank that is the highest among them.
RANKS = np.array([[4, 3], [2, 1]], dtype=np.float32)


@dataclass(frozen=True)
class Unpooling:
    """What `swiftseg.layers.unpooling` leaves in a graph for one pooling and its inverse.

    Attributes:
        shuffle: The node that makes the unpooled map.
        before: The value that is pooled, of even size.
    """

    shuffle: NodeProto
    before: str
    maxima: str
    features: str


def rewrite_unpooling(model: ModelProto) -> None:
    """Replace the phases of every max-unpooling in place; the values are the same to the bit."""
    editor = GraphEditor(model.graph)
    for node in editor.nodes("DepthToSpace"):
        found = _find(editor, node)
        if found is not None:
            editor.replace(node, _substitutes(editor, found))
    editor.finish()


def _find(editor: GraphEditor, shuffle: NodeProto) -> Unpooling | None:
    """Walk back from the shuffle over the select to the comparison with the maxima."""
    flat = editor.maker(shuffle.input[0], "Reshape")
    select = flat and editor.maker(flat.input[0], "Where")
    switches = select and editor.maker(select.input[0], "Concat")
    features = select and editor.maker(select.input[1], "Unsqueeze")
    first = switches and editor.maker(switches.input[0], "Unsqueeze")
    equal = first and editor.maker(first.input[0], "Equal")
    if not features or not equal:
        return None
    before = _unsliced(editor, equal.input[0])
    if before is None or editor.maker(equal.input[1], "MaxPool") is None:
        return None
    return Unpooling(shuffle, before, equal.input[1], features.input[0])


def _unsliced(editor: GraphEditor, phase: str) -> str | None:
    """Return what every second row and column was taken of."""
    columns = editor.maker(phase, "Slice")
    rows = columns and editor.maker(columns.input[0], "Slice")
    return rows.input[0] if rows else None


def _substitutes(editor: GraphEditor, found: Unpooling) -> list[NodeProto]:
    stem = found.shuffle.output[0]
    height, width = editor.shape(found.before)[2:]
    scales = editor.add_weight(f"{stem}_scales", np.array([1, 1, 2, 2], dtype=np.float32))
    ranks = editor.add_weight(f"{stem}_ranks", RANKS[None, None])
    repeats = editor.add_weight(
        f"{stem}_repeats", np.array([1, 1, height // 2, width // 2], dtype=np.int64)
    )

    def enlarged(value: str, name: str) -> NodeProto:
        return helper.make_node(
            "Resize",
            [value, "", scales],
            [f"{stem}_{name}"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def node(op_type: str, inputs: list[str], name: str, **attributes: Any) -> NodeProto:
        names = [value if value in known else f"{stem}_{value}" for value in inputs]
        return helper.make_node(op_type, names, [f"{stem}_{name}"], **attributes)

    known = {found.before, ranks, repeats}
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return [
        enlarged(found.maxima, "highest"),
        node("Equal", [found.before, "highest"], "is_maximum"),
        node("Cast", ["is_maximum"], "maximum", to=TensorProto.FLOAT),
        node("Tile", [ranks, repeats], "order"),
        node("Mul", ["maximum", "order"], "rank"),
        node("MaxPool", ["rank"], "best", **pool),
        enlarged(f"{stem}_best", "best_rank"),
        node("Equal", ["rank", "best_rank"], "is_first"),
        node("Cast", ["is_first"], "mask", to=TensorProto.FLOAT),
        enlarged(found.features, "repeated"),
        helper.make_node("Mul", [f"{stem}_repeated", f"{stem}_mask"], [stem]),
    ]
