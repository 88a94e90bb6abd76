"""PReLU in operators that ONNX Runtime keeps in its blocked layout.

ONNX Runtime has no PReLU in that layout: each one costs two reorders and a loop of one element at a
time, more than half of ENet's milliseconds. Depthwise 1x1 convolutions stay in it, and both of a
convolution's companions here, the ReLU behind and the sum, are fused into it.
"""

import numpy as np
from onnx import ModelProto, NodeProto, helper

from swiftseg.exporting.graph import GraphEditor


def rewrite_prelus(model: ModelProto) -> None:
    """Replace every PReLU of a slope a channel in place; values differ by rounding alone.

    One slope for all channels becomes a LeakyReLU. Slopes a <= 1 become a x + ReLU((1 - a) x); with
    a slope above 1, where that is no PReLU, a x + (1 - a) ReLU(x).
    """
    editor = GraphEditor(model.graph)
    for node in editor.nodes("PRelu"):
        slopes = editor.weight(node.input[1])
        if slopes is not None and slopes.size == np.max(slopes.shape, initial=1):
            editor.replace(node, _substitutes(editor, node, slopes.ravel()))
    editor.finish()


def _substitutes(editor: GraphEditor, node: NodeProto, slopes: np.ndarray) -> list[NodeProto]:
    x, y = node.input[0], node.output[0]
    if np.all(slopes == slopes[0]):
        return [helper.make_node("LeakyRelu", [x], [y], alpha=float(slopes[0]))]
    linear = _scaled(editor, x, f"{y}_linear", slopes)
    if np.all(slopes <= 1):
        rest = _scaled(editor, x, f"{y}_rest", 1 - slopes)
        bent = helper.make_node("Relu", rest.output, [f"{y}_bent"])
        order = [rest, bent]
    else:
        rectified = helper.make_node("Relu", [x], [f"{y}_rectified"])
        bent = _scaled(editor, rectified.output[0], f"{y}_bent", 1 - slopes)
        order = [rectified, bent]
    return [*order, linear, helper.make_node("Add", [linear.output[0], bent.output[0]], [y])]


def _scaled(editor: GraphEditor, x: str, y: str, factors: np.ndarray) -> NodeProto:
    """Multiply each channel by its factor, as a depthwise convolution."""
    weight = editor.add_weight(f"{y}_factors", factors.astype(np.float32).reshape(-1, 1, 1, 1))
    return helper.make_node("Conv", [x, weight], [y], group=factors.size, kernel_shape=[1, 1])
