"""Folding batch normalization into the convolutions around it.

The exporter's optimizer folds most of them; what it leaves is folded here: a normalization before
a 1x1 convolution (SegFast's sparks) into that, one behind a concatenation (ENet's initial block)
branch by branch.
"""

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper

from swiftseg.exporting.graph import GraphEditor, attribute


def fold_batch_norms(model: ModelProto) -> None:
    """Replace every BatchNormalization in place; the graph computes the same.

    At inference it is a scale and a shift of each channel. They go into the weights of the 1x1
    convolution behind it or of the convolution before it, through concatenations of channels too;
    where neither is there, or the value has other readers, a Mul and an Add remain.
    """
    while norms := [node for node in model.graph.node if node.op_type == "BatchNormalization"]:
        model.CopyFrom(onnx.shape_inference.infer_shapes(model))
        editor = GraphEditor(model.graph)
        _fold(editor, norms[0])
        editor.finish()


def _fold(editor: GraphEditor, norm: NodeProto) -> None:
    weights = [editor.weight(name) for name in norm.input[1:5]]
    # A network in training mode has no such weights.
    gamma, beta, mean, variance = (w.astype(np.float64) for w in weights if w is not None)
    scale = gamma / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))
    shift = beta - mean * scale
    behind = editor.only_reader(norm.output[0])
    if behind is not None and _is_pointwise(editor, behind, len(scale)):
        weight, bias = _weight_and_bias(editor, behind)
        bias = bias + weight[:, :, 0, 0] @ shift
        weight = weight * scale.reshape(1, -1, 1, 1)
        folded = _convolution(editor, behind, norm.input[0], behind.output[0], weight, bias)
        editor.replace(behind, [folded])
    else:
        editor.replace(norm, _scaled(editor, norm.input[0], norm.output[0], scale, shift))


def _is_pointwise(editor: GraphEditor, conv: NodeProto, channels: int) -> bool:
    """Whether it is a 1x1 convolution that does not pad: no bias can shift the padding's zeros."""
    weight = editor.weight(conv.input[1]) if conv.op_type == "Conv" else None
    if weight is None or weight.shape[1:] != (channels, 1, 1):
        return False
    return not any(attribute(conv, "pads", ()))


def _scaled(
    editor: GraphEditor, x: str, y: str, scale: np.ndarray, shift: np.ndarray
) -> list[NodeProto]:
    """Return the nodes that make y = x * scale + shift; none where the maker of x makes y now."""
    conv = editor.maker(x, "Conv") or editor.maker(x, "ConvTranspose")
    concat = editor.maker(x, "Concat")
    if editor.only_reader(x) is not None:
        if conv is not None and editor.weight(conv.input[1]) is not None:
            editor.replace(conv, [_scaled_convolution(editor, conv, y, scale, shift)])
            return []
        if concat is not None and attribute(concat, "axis", 0) == 1:
            editor.replace(concat, _scaled_branches(editor, concat, y, scale, shift))
            return []
    factors = editor.add_weight(f"{y}_scale", scale.reshape(1, -1, 1, 1).astype(np.float32))
    terms = editor.add_weight(f"{y}_shift", shift.reshape(1, -1, 1, 1).astype(np.float32))
    return [
        helper.make_node("Mul", [x, factors], [f"{y}_scaled"]),
        helper.make_node("Add", [f"{y}_scaled", terms], [y]),
    ]


def _scaled_branches(
    editor: GraphEditor, concat: NodeProto, y: str, scale: np.ndarray, shift: np.ndarray
) -> list[NodeProto]:
    ends = np.cumsum([editor.shape(branch)[1] for branch in concat.input])[:-1]
    parts = [f"{y}_branch_{index}" for index in range(len(concat.input))]
    nodes: list[NodeProto] = []
    for x, part, *own in zip(
        concat.input, parts, np.split(scale, ends), np.split(shift, ends), strict=True
    ):
        nodes += _scaled(editor, x, part, *own)
    return [*nodes, helper.make_node("Concat", parts, [y], axis=1)]


def _scaled_convolution(
    editor: GraphEditor, conv: NodeProto, y: str, scale: np.ndarray, shift: np.ndarray
) -> NodeProto:
    weight, bias = _weight_and_bias(editor, conv)
    if conv.op_type == "Conv":  # (C_out, C_in / groups, kh, kw)
        scaled = weight * scale.reshape(-1, 1, 1, 1)
    else:  # (C_in, C_out / groups, kh, kw)
        groups = int(attribute(conv, "group", 1))
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        scaled = (grouped * scale.reshape(groups, 1, -1, 1, 1)).reshape(weight.shape)
    return _convolution(editor, conv, conv.input[0], y, scaled, bias * scale + shift)


def _weight_and_bias(editor: GraphEditor, conv: NodeProto) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 arrays, zeros () for a bias that is not there."""
    arrays = [editor.weight(name) for name in conv.input[1:3]]
    weight, bias = [array for array in [*arrays, np.zeros(())] if array is not None][:2]
    return weight, bias


def _convolution(
    editor: GraphEditor, like: NodeProto, x: str, y: str, weight: np.ndarray, bias: np.ndarray
) -> NodeProto:
    node = NodeProto()
    node.CopyFrom(like)
    parts = {"weight": weight, "bias": bias}
    names = [
        editor.add_weight(f"{y}_folded_{part}", array.astype(np.float32))
        for part, array in parts.items()
    ]
    node.input[:] = [x, *names]
    node.output[:] = [y]
    return node
