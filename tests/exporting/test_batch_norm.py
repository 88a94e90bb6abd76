"""Folded graphs against unfolded ones, both in ONNX Runtime with its own folding off."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import onnx
import onnxruntime as ort
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from swiftseg.exporting.batch_norm import fold_batch_norms

Weights = dict[str, tuple[int, ...]]


def build(nodes: Sequence[NodeProto], weights: Weights, outputs: Sequence[str]) -> ModelProto:
    rng = np.random.default_rng(0)
    arrays = {name: rng.uniform(0.5, 1.5, shape) for name, shape in weights.items()}
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4, 6, 5])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def norm(value: str, output: str, channels: int) -> tuple[NodeProto, Weights]:
    names = [f"{output}_{part}" for part in ("gamma", "beta", "mean", "variance")]
    node = helper.make_node("BatchNormalization", [value, *names], [output], epsilon=1e-3)
    return node, dict.fromkeys(names, (channels,))


def run(model: ModelProto) -> list[np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options)
    x = np.random.default_rng(1).normal(size=(2, 4, 6, 5)).astype(np.float32)
    return session.run(None, {"x": x})


def folded(model: ModelProto) -> Counter[str]:
    """Folds, checks that the outputs stay, and counts the operators that are left."""
    before = deepcopy(model)
    fold_batch_norms(model)
    onnx.checker.check_model(model, full_check=True)
    for ours, theirs in zip(run(model), run(before), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    return Counter(node.op_type for node in model.graph.node)


def test_into_a_convolution_without_bias():
    node, weights = norm("a", "y", 8)
    conv = helper.make_node("Conv", ["x", "w"], ["a"])
    assert folded(build([conv, node], {"w": (8, 4, 3, 3), **weights}, ["y"])) == {"Conv": 1}


def test_into_a_grouped_convolution_with_bias():
    node, weights = norm("a", "y", 6)
    conv = helper.make_node("Conv", ["x", "w", "b"], ["a"], group=2)
    weights |= {"w": (6, 2, 3, 3), "b": (6,)}
    assert folded(build([conv, node], weights, ["y"])) == {"Conv": 1}


def test_into_a_grouped_transposed_convolution():
    node, weights = norm("a", "y", 6)
    conv = helper.make_node("ConvTranspose", ["x", "w"], ["a"], group=2, strides=[2, 2])
    weights |= {"w": (4, 3, 2, 2)}
    assert folded(build([conv, node], weights, ["y"])) == {"ConvTranspose": 1}


def test_through_a_concatenation():
    node, weights = norm("joined", "y", 9)
    conv = helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1])
    pool = helper.make_node("MaxPool", ["x"], ["b"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    join = helper.make_node("Concat", ["a", "b"], ["joined"], axis=1)
    weights |= {"w": (5, 4, 3, 3)}
    left = folded(build([conv, pool, join, node], weights, ["y"]))
    assert left == {"Conv": 1, "MaxPool": 1, "Concat": 1, "Mul": 1, "Add": 1}


def test_a_value_with_other_readers_stays():
    node, weights = norm("a", "y", 8)
    conv = helper.make_node("Conv", ["x", "w"], ["a"])
    left = folded(build([conv, node], {"w": (8, 4, 3, 3), **weights}, ["y", "a"]))
    assert left == {"Conv": 1, "Mul": 1, "Add": 1}


def test_one_after_another_and_first_of_all():
    first, weights = norm("x", "a", 4)
    second, more = norm("a", "y", 4)
    left = folded(build([first, second], weights | more, ["y"]))
    assert left == {"Mul": 2, "Add": 2}


def test_weights_shared_by_two_convolutions_stay_the_others():
    node, weights = norm("a", "y", 8)
    convs = [helper.make_node("Conv", ["x", "w"], [output]) for output in ("a", "z")]
    left = folded(build([*convs, node], {"w": (8, 4, 3, 3), **weights}, ["y", "z"]))
    assert left == {"Conv": 2}


def test_one_value_read_by_two_normalizations():
    """As a spark of SegFast does after its squeeze."""
    relu = helper.make_node("Relu", ["x"], ["a"])
    first, weights = norm("a", "y", 4)
    second, more = norm("a", "z", 4)
    left = folded(build([relu, first, second], weights | more, ["y", "z"]))
    assert left == {"Relu": 1, "Mul": 2, "Add": 2}


def test_into_the_pointwise_convolution_behind_it():
    node, weights = norm("x", "a", 4)
    conv = helper.make_node("Conv", ["a", "w", "b"], ["y"], strides=[2, 2])
    weights |= {"w": (6, 4, 1, 1), "b": (6,)}
    assert folded(build([node, conv], weights, ["y"])) == {"Conv": 1}


def test_not_into_a_pointwise_convolution_that_pads():
    node, weights = norm("x", "a", 4)
    conv = helper.make_node("Conv", ["a", "w"], ["y"], pads=[1, 1, 1, 1])
    left = folded(build([node, conv], {"w": (6, 4, 1, 1), **weights}, ["y"]))
    assert left == {"Mul": 1, "Add": 1, "Conv": 1}


def test_not_into_a_grouped_pointwise_convolution():
    node, weights = norm("x", "a", 4)
    conv = helper.make_node("Conv", ["a", "w"], ["y"], group=2)
    left = folded(build([node, conv], {"w": (6, 2, 1, 1), **weights}, ["y"]))
    assert left == {"Mul": 1, "Add": 1, "Conv": 1}


def test_not_into_a_wider_convolution():
    node, weights = norm("x", "a", 4)
    conv = helper.make_node("Conv", ["a", "w"], ["y"])
    left = folded(build([node, conv], {"w": (6, 4, 3, 3), **weights}, ["y"]))
    assert left == {"Mul": 1, "Add": 1, "Conv": 1}
