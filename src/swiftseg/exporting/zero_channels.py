"""Zero channels appended by a convolution, which keeps ONNX Runtime's blocked layout."""

import numpy as np
from onnx import ModelProto, helper

from swiftseg.exporting.graph import GraphEditor, attribute


def rewrite_zero_channels(model: ModelProto) -> None:
    """Replace every padding of channels with zeros in place; the values are the same to the bit.

    A 1x1 convolution with an identity does the same, and the sum behind it (ENet's downsampling
    bottleneck) is fused into the convolution of the other branch.
    """
    editor = GraphEditor(model.graph)
    for node in editor.nodes("Pad"):
        pads = editor.weight(node.input[1])
        channels = editor.shape(node.input[0])[1:2]
        if pads is None or not channels or pads.size != 8 or np.delete(pads, 5).any():
            continue
        if attribute(node, "mode", b"constant") != b"constant":
            continue
        identity = np.eye(channels[0] + int(pads[5]), channels[0], dtype=np.float32)[
            ..., None, None
        ]
        name = editor.add_weight(f"{node.output[0]}_identity", identity)
        conv = helper.make_node("Conv", [node.input[0], name], node.output, kernel_shape=[1, 1])
        editor.replace(node, [conv])
    editor.finish()
