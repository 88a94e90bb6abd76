"""Folding batch normalization into the convolutions around it.

The exporter's optimizer folds most of them; what it leaves is folded here: a normalization before
a 1x1 convolution (SegFast's sparks) into that, one behind a concatenation (ENet's initial block)
branch by branch.
"""

from itertools import chain

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from swiftseg.exporting.graph import attribute, drop_unused_weights


def fold_batch_norms(model: ModelProto) -> None:
    """Replaces every BatchNormalization in place; the graph computes the same.

    At inference it is a scale and a shift of each channel. They go into the weights of the 1x1
    convolution behind it or of the convolution before it, through concatenations of channels too;
    where neither is there, or the value has other readers, a Mul and an Add remain.
    """
    model.CopyFrom(onnx.shape_inference.infer_shapes(model))
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        scale, shift = _scale_and_shift(graph, node)
        if _fold_forward(graph, node, scale, shift):
            graph.node.remove(node)
            continue
        folded = _push(graph, node.input[0], scale, shift)
        graph.node.remove(node)
        _rename(graph, folded, node.output[0])
    drop_unused_weights(graph)


def _scale_and_shift(graph: GraphProto, norm: NodeProto) -> tuple[np.ndarray, np.ndarray]:
    """Gives float64 (C,) each; a network in training mode has no such weights."""
    weights = [_weight(graph, name) for name in norm.input[1:5]]
    gamma, beta, mean, variance = (w.astype(np.float64) for w in weights if w is not None)
    epsilon = attribute(norm, "epsilon", 1e-5)
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _fold_forward(graph: GraphProto, norm: NodeProto, scale: np.ndarray, shift: np.ndarray) -> bool:
    """Folds into the one reader, if that is a 1x1 convolution, and tells whether it is.

    It must not pad: the zeros of a padding are not shifted, which no bias can express.
    """
    conv = next((node for node in graph.node if norm.output[0] in node.input), None)
    if conv is None or conv.op_type != "Conv" or not _has_one_reader(graph, norm.output[0]):
        return False
    weight = _weight(graph, conv.input[1])  # (C_out, C_in / groups, kh, kw)
    if weight is None or weight.shape[2:] != (1, 1) or weight.shape[1] != len(scale):
        return False
    if any(attribute(conv, "pads", ())):
        return False
    bias = _weight(graph, conv.input[2]) if len(conv.input) > 2 else None
    shifted = weight[:, :, 0, 0] @ shift
    scaled = weight * scale.reshape(1, -1, 1, 1)
    _replace_weights(graph, conv, scaled, shifted if bias is None else bias + shifted)
    conv.input[0] = norm.input[0]
    return True


def _push(graph: GraphProto, value: str, scale: np.ndarray, shift: np.ndarray) -> str:
    """Makes `value` carry value * scale + shift; gives the name that carries it."""
    producer = next((node for node in graph.node if value in node.output), None)
    if producer is not None and _has_one_reader(graph, value):
        if producer.op_type in ("Conv", "ConvTranspose"):
            weight = _weight(graph, producer.input[1])
            if weight is not None:
                _fold_into(graph, producer, weight, scale, shift)
                return value
        if producer.op_type == "Concat" and attribute(producer, "axis", 0) == 1:
            _push_into_branches(graph, producer, scale, shift)
            return value
    return _append_affine(graph, value, scale, shift)


def _push_into_branches(
    graph: GraphProto, concat: NodeProto, scale: np.ndarray, shift: np.ndarray
) -> None:
    start = 0
    for position, branch in enumerate(list(concat.input)):
        end = start + _channels(graph, branch)
        concat.input[position] = _push(graph, branch, scale[start:end], shift[start:end])
        start = end


def _fold_into(
    graph: GraphProto, conv: NodeProto, weight: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> None:
    bias = _weight(graph, conv.input[2]) if len(conv.input) > 2 else None
    if conv.op_type == "Conv":  # (C_out, C_in / groups, kh, kw)
        scaled = weight * scale.reshape(-1, 1, 1, 1)
    else:  # (C_in, C_out / groups, kh, kw)
        groups = int(attribute(conv, "group", 1))
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        scaled = (grouped * scale.reshape(groups, 1, -1, 1, 1)).reshape(weight.shape)
    _replace_weights(graph, conv, scaled, shift if bias is None else bias * scale + shift)


def _replace_weights(
    graph: GraphProto, conv: NodeProto, weight: np.ndarray, bias: np.ndarray
) -> None:
    names = [_add_weight(graph, conv.output[0], array) for array in (weight, bias)]
    del conv.input[1:]
    conv.input.extend(names)


def _append_affine(graph: GraphProto, value: str, scale: np.ndarray, shift: np.ndarray) -> str:
    names = [_add_weight(graph, value, array.reshape(1, -1, 1, 1)) for array in (scale, shift)]
    # Named by their weights: a value that feeds two normalizations is scaled twice.
    scaled, shifted = f"{names[0]}_scaled", f"{names[1]}_shifted"
    at = next((i + 1 for i, node in enumerate(graph.node) if value in node.output), 0)
    graph.node.insert(at, helper.make_node("Mul", [value, names[0]], [scaled]))
    graph.node.insert(at + 1, helper.make_node("Add", [scaled, names[1]], [shifted]))
    return shifted


def _add_weight(graph: GraphProto, stem: str, array: np.ndarray) -> str:
    name = f"{stem}_folded_{len(graph.initializer)}"
    graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), name))
    return name


def _weight(graph: GraphProto, name: str) -> np.ndarray | None:
    found = next((tensor for tensor in graph.initializer if tensor.name == name), None)
    return None if found is None else numpy_helper.to_array(found)


def _channels(graph: GraphProto, value: str) -> int:
    info = next(info for info in graph.value_info if info.name == value)
    return info.type.tensor_type.shape.dim[1].dim_value


def _has_one_reader(graph: GraphProto, value: str) -> bool:
    read = chain.from_iterable(node.input for node in graph.node)
    return sum(name == value for name in chain(read, (output.name for output in graph.output))) == 1


def _rename(graph: GraphProto, old: str, new: str) -> None:
    """Renames a value where it is made, once nothing reads it any more."""
    producer = next(node for node in graph.node if old in node.output)
    producer.output[list(producer.output).index(old)] = new
