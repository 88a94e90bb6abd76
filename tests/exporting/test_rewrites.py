"""Rewritten graphs against the ones they come from, in onnx's reference evaluator."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.exporting.activations import rewrite_prelus
from swiftseg.exporting.normalization import merge_normalization
from swiftseg.exporting.resizing import rewrite_resizes
from swiftseg.exporting.rewrites import REWRITES, rewrite_graph
from swiftseg.exporting.transposed_conv import merge_depthwise_transposed
from swiftseg.exporting.unpooling import rewrite_unpooling
from swiftseg.exporting.zero_channels import rewrite_zero_channels
from swiftseg.layers.unpooling import max_pool_2x2, max_unpool_2x2
from tests.support.onnx_graphs import computed, rewritten, small_graph

ROUNDING = 1e-5  # float32, of values near 1
RNG = np.random.default_rng(0)
PLANES = RNG.normal(size=(2, 4, 6, 8)).astype(np.float32)


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape).astype(np.float32)


def prelu(slopes: list[float]) -> ModelProto:
    weights = {"a": np.array(slopes, np.float32).reshape(-1, 1, 1)}
    return small_graph([helper.make_node("PRelu", ["x", "a"], ["y"])], weights, ["N", 4, 6, 8])


def test_slopes_up_to_one_become_two_convolutions():
    left = rewritten(prelu([-0.5, 0, 0.25, 1]), rewrite_prelus, PLANES, tolerance=ROUNDING)
    assert left == {"Conv": 2, "Relu": 1, "Add": 1}


def test_slopes_above_one_are_right_too():
    left = rewritten(prelu([0.1, 3, 0.2, -2]), rewrite_prelus, PLANES, tolerance=ROUNDING)
    assert left == {"Conv": 2, "Relu": 1, "Add": 1}


@pytest.mark.parametrize("slopes", [[0.3], [0.3] * 4])
def test_one_slope_becomes_a_leaky_relu(slopes: list[float]):
    assert rewritten(prelu(slopes), rewrite_prelus, PLANES, tolerance=0) == {"LeakyRelu": 1}


class Unpooling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pooled, switches = max_pool_2x2(x)
        return max_unpool_2x2(pooled + 5, switches, x.shape[-2:])


def unpooling_model(size_hw: tuple[int, int]) -> ModelProto:
    program = torch.onnx.export(
        Unpooling().eval(),
        (torch.zeros(2, 3, *size_hw),),
        dynamo=True,
        verbose=False,
        input_names=["x"],
        dynamic_shapes=({0: "N"},),
        opset_version=18,
    )
    assert program is not None
    return program.model_proto


@pytest.mark.parametrize("size_hw", [(8, 6), (7, 9)])
def test_unpooling_is_torchs_own_at_ties_and_odd_sizes(size_hw: tuple[int, int]):
    ties = np.random.default_rng(1).integers(-2, 2, (2, 3, *size_hw)).astype(np.float32)
    model = unpooling_model(size_hw)
    left = rewritten(model, rewrite_unpooling, ties, tolerance=0)
    assert left["Where"] == left["DepthToSpace"] == 0
    rewrite_graph(model, ["unpooling"])
    pooled, indices = F.max_pool2d(torch.from_numpy(ties), 2, ceil_mode=True, return_indices=True)
    flat = torch.zeros(2, 3, size_hw[0] * size_hw[1])
    flat.scatter_(2, indices.flatten(2), (pooled + 5).flatten(2))
    np.testing.assert_array_equal(computed(model, ties)[0], flat.unflatten(2, size_hw).numpy())


def test_zero_channels_are_a_convolution():
    pads = np.array([0, 0, 0, 0, 0, 3, 0, 0], np.int64)
    model = small_graph([helper.make_node("Pad", ["x", "p"], ["y"])], {"p": pads}, ["N", 4, 6, 8])
    assert rewritten(model, rewrite_zero_channels, PLANES, tolerance=0) == {"Conv": 1}


@pytest.mark.parametrize(
    ("pads", "mode"), [([0, 0, 0, 0, 0, 3, 1, 0], "constant"), ([0, 0, 0, 0, 0, 3, 0, 0], "edge")]
)
def test_another_padding_stays(pads: list[int], mode: str):
    node = helper.make_node("Pad", ["x", "p"], ["y"], mode=mode)
    model = small_graph([node], {"p": np.array(pads, np.int64)}, ["N", 4, 6, 8])
    assert rewritten(model, rewrite_zero_channels, PLANES, tolerance=0) == {"Pad": 1}


def resize(size_hw: tuple[int, int]) -> ModelProto:
    """As the tracer writes it: the sizes are put together when the graph runs."""
    nodes = [
        helper.make_node("Shape", ["x"], ["n"], end=2),
        helper.make_node("Concat", ["n", "hw"], ["sizes"], axis=0),
        helper.make_node(
            "Resize",
            ["x", "", "", "sizes"],
            ["y"],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        ),
    ]
    model = small_graph(nodes, {"hw": np.array(size_hw, np.int64)}, ["N", 4, 6, 8])
    shape = ["N", 4, *size_hw]
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, shape))
    return model


def test_whole_factors_are_written_down():
    left = rewritten(resize((12, 24)), rewrite_resizes, PLANES, tolerance=ROUNDING)
    assert left == {"Resize": 1}


def test_fractional_factors_stay_sizes():
    left = rewritten(resize((9, 20)), rewrite_resizes, PLANES, tolerance=ROUNDING)
    assert left == {"Shape": 1, "Concat": 1, "Resize": 1}


def normalization(*operators: str) -> ModelProto:
    values = ["x", "float", *(f"v{i}" for i in range(len(operators) - 1)), "y"]
    nodes = [helper.make_node("Cast", ["x"], ["float"], to=TensorProto.FLOAT)]
    weights: dict[str, np.ndarray] = {}
    for index, operator in enumerate(operators):
        weights[f"w{index}"] = array(1, 3, 1, 1) if index else np.array(255, np.float32)
        inputs = [values[index + 1], f"w{index}"]
        nodes.append(helper.make_node(operator, inputs, [values[index + 2]]))
    return small_graph(nodes, weights, ["N", 3, 6, 8], dtype=TensorProto.UINT8)


@pytest.mark.parametrize("operators", [("Div", "Sub", "Div"), ("Mul", "Add", "Mul", "Sub")])
def test_normalization_takes_two_passes(operators: tuple[str, ...]):
    frames = RNG.integers(0, 256, (2, 3, 6, 8), dtype=np.uint8)
    model = normalization(*operators)
    left = rewritten(model, merge_normalization, frames, tolerance=ROUNDING)
    assert left == {"Cast": 1, "Mul": 1, "Add": 1}


def test_scaling_alone_stays():
    frames = RNG.integers(0, 256, (2, 3, 6, 8), dtype=np.uint8)
    left = rewritten(normalization("Div"), merge_normalization, frames, tolerance=0)
    assert left == {"Cast": 1, "Div": 1}


def upsampling(groups: int, *, size: int = 2, pads: int = 0) -> ModelProto:
    nodes = [
        helper.make_node(
            "ConvTranspose", ["x", "w", "b"], ["t"], group=groups, strides=[2, 2], pads=[pads] * 4
        ),
        helper.make_node("Conv", ["t", "p", "c"], ["y"]),
    ]
    weights = {"w": array(4, 4 // groups, size, size), "b": array(4)}
    return small_graph(nodes, weights | {"p": array(5, 4, 1, 1), "c": array(5)}, ["N", 4, 6, 8])


def test_a_depthwise_pair_becomes_one():
    # Against torch: onnx's reference evaluator leaves out the bias of a grouped ConvTranspose.
    model = upsampling(4)
    w, b, p, c = (
        torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer
    )
    up = F.conv_transpose2d(torch.from_numpy(PLANES), w, b, stride=2, groups=4)
    merge_depthwise_transposed(model)
    assert [node.op_type for node in model.graph.node] == ["ConvTranspose"]
    merged = computed(model, PLANES)[0]
    np.testing.assert_allclose(merged, F.conv2d(up, p, c), rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("model", [upsampling(1), upsampling(4, size=3), upsampling(4, pads=1)])
def test_other_pairs_stay(model: ModelProto):
    left = rewritten(model, merge_depthwise_transposed, PLANES, tolerance=0)
    assert left == {"ConvTranspose": 1, "Conv": 1}


def test_a_value_that_is_read_elsewhere_is_not_merged():
    model = upsampling(4)
    model.graph.output.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, None))
    left = rewritten(model, merge_depthwise_transposed, PLANES, tolerance=0)
    assert left == {"ConvTranspose": 1, "Conv": 1}


def test_shipped_models_have_no_operator_left_that_a_rewrite_removes():
    weights = Path(__file__).parents[2] / "src/swiftseg/weights"
    for path in weights.glob("enet*.onnx"):
        left = Counter(node.op_type for node in onnx.load(path).graph.node)
        gone = ("BatchNormalization", "PRelu", "DepthToSpace", "Where", "Pad")
        assert not [name for name in gone if left[name]], path


def test_a_rewritten_graph_is_not_rewritten_again():
    model = prelu([0.1, 0.2, 0.3, 0.4])
    rewrite_graph(model)
    before = [node.op_type for node in model.graph.node]
    rewrite_graph(model, REWRITES)
    assert [node.op_type for node in model.graph.node] == before
