"""A depthwise transposed convolution and the pointwise one behind it as one transposed convolution.

SegFast upsamples so. Engines run a depthwise transposed convolution channel by channel, OpenVINO in
bfloat16 five times slower than the convolution it becomes here.
"""

import numpy as np
from onnx import ModelProto, NodeProto, helper

from swiftseg.exporting.graph import GraphEditor, attribute


def merge_depthwise_transposed(model: ModelProto) -> None:
    """Merge the pairs in place where windows do not overlap; values differ by rounding alone.

    Without overlap each output pixel comes from one input pixel, so that the merged convolution
    multiplies no more often than the pointwise one did.
    """
    editor = GraphEditor(model.graph)
    for up in editor.nodes("ConvTranspose"):
        pointwise = editor.only_reader(up.output[0])
        if pointwise is not None and _is_depthwise(editor, up) and _is_pointwise(editor, pointwise):
            editor.replace(pointwise, [_merged(editor, up, pointwise)])
    editor.finish()


def _is_depthwise(editor: GraphEditor, up: NodeProto) -> bool:
    weight = editor.weight(up.input[1])  # (C_in, C_out / groups, kh, kw)
    if weight is None or weight.shape[:2] != (attribute(up, "group", 1), 1):
        return False
    touching = list(weight.shape[2:]) == list(attribute(up, "strides", [1, 1]))
    padded = any(attribute(up, "pads", [])) or any(attribute(up, "output_padding", []))
    return touching and not padded


def _is_pointwise(editor: GraphEditor, conv: NodeProto) -> bool:
    weight = editor.weight(conv.input[1]) if conv.op_type == "Conv" else None
    if weight is None or weight.shape[2:] != (1, 1) or attribute(conv, "group", 1) != 1:
        return False
    return not any(attribute(conv, "pads", [])) and set(attribute(conv, "strides", [1])) == {1}


def _merged(editor: GraphEditor, up: NodeProto, pointwise: NodeProto) -> NodeProto:
    depthwise, mixing = _float64(editor, up.input[1]), _float64(editor, pointwise.input[1])
    mixing = mixing[:, :, 0, 0]  # (C_out, C_in)
    weight = depthwise * mixing.T[:, :, None, None]  # (C_in, C_out, kh, kw)
    bias = np.zeros(mixing.shape[0])
    if len(up.input) > 2:
        bias = bias + mixing @ _float64(editor, up.input[2])
    if len(pointwise.input) > 2:
        bias = bias + _float64(editor, pointwise.input[2])
    y = pointwise.output[0]
    names = [
        editor.add_weight(f"{y}_merged_{part}", array.astype(np.float32))
        for part, array in (("weight", weight), ("bias", bias))
    ]
    size = list(depthwise.shape[2:])
    return helper.make_node(
        "ConvTranspose", [up.input[0], *names], [y], kernel_shape=size, strides=size
    )


def _float64(editor: GraphEditor, value: str) -> np.ndarray:
    weight = editor.weight(value)
    assert weight is not None
    return weight.astype(np.float64)
