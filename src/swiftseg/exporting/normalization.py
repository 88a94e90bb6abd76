"""Normalization of frames in two passes over the planes rather than three."""

from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, helper

from swiftseg.exporting.graph import GraphEditor


@dataclass(frozen=True)
class Affine:
    """x * scale + shift, each float64 and broadcast to (1, C, 1, 1)."""

    scale: np.ndarray
    shift: np.ndarray

    def then(self, op_type: str, value: np.ndarray) -> "Affine":
        """Apply one more operator with a constant as its second operand."""
        if op_type in ("Mul", "Div"):
            factor = value if op_type == "Mul" else 1 / value
            return Affine(self.scale * factor, self.shift * factor)
        return Affine(self.scale, self.shift + (value if op_type == "Add" else -value))


def merge_normalization(model: ModelProto) -> None:
    """Make one Mul and one Add of the arithmetic behind the frames' Cast, in place.

    Values differ by rounding alone. One operator by itself stays.
    """
    editor = GraphEditor(model.graph)
    for cast in editor.nodes("Cast"):
        affine, last, length = Affine(np.ones(()), np.zeros(())), cast, 0
        while (following := _next(editor, last)) is not None:
            node, value = following
            affine, last, length = affine.then(node.op_type, value), node, length + 1
        if length > 1:
            editor.replace(last, _substitutes(editor, cast.output[0], last.output[0], affine))
    editor.finish()


def _next(editor: GraphEditor, node: NodeProto) -> tuple[NodeProto, np.ndarray] | None:
    """Return the only reader, if it is arithmetic with a constant, and that constant."""
    reader = editor.only_reader(node.output[0])
    if reader is None or reader.op_type not in ("Mul", "Div", "Add", "Sub"):
        return None
    value = editor.weight(reader.input[1])
    if value is None or value.size != np.prod(value.shape[1:2]):
        return None
    return reader, value.astype(np.float64)


def _substitutes(editor: GraphEditor, x: str, y: str, affine: Affine) -> list[NodeProto]:
    scale = editor.add_weight(f"{y}_scale", affine.scale.astype(np.float32))
    shift = editor.add_weight(f"{y}_shift", affine.shift.astype(np.float32))
    return [
        helper.make_node("Mul", [x, scale], [f"{y}_scaled"]),
        helper.make_node("Add", [f"{y}_scaled", shift], [y]),
    ]
