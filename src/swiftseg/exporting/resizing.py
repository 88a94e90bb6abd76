"""Resizing by constant factors, which ONNX Runtime does in its blocked layout."""

import numpy as np
from onnx import ModelProto, NodeProto, helper

from swiftseg.exporting.graph import GraphEditor


def rewrite_resizes(model: ModelProto) -> None:
    """Write whole factors into every enlargement that has them, in place; the values are the same.

    The tracer asks for sizes that hold the free batch size, known only when the graph runs.
    """
    editor = GraphEditor(model.graph)
    for node in editor.nodes("Resize"):
        factors = _whole_factors(editor, node)
        if factors is not None:
            scales = editor.add_weight(f"{node.output[0]}_scales", factors)
            scaled = helper.make_node("Resize", [node.input[0], "", scales], node.output)
            scaled.attribute.extend(node.attribute)
            editor.replace(node, [scaled])
    editor.finish()


def _whole_factors(editor: GraphEditor, node: NodeProto) -> np.ndarray | None:
    """Return float32 (4,), or None where a factor is fractional or stands there already."""
    before, after = editor.shape(node.input[0])[2:], editor.shape(node.output[0])[2:]
    if len(node.input) < 4 or not node.input[3] or len(before) != 2 or len(after) != 2:
        return None
    if any(not b or a % b for b, a in zip(before, after, strict=True)):
        return None
    return np.array([1, 1, after[0] // before[0], after[1] // before[1]], dtype=np.float32)
