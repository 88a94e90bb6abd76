from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.weights import shipped_models


def write_graph(path: Path, *, with_sizes: bool) -> Path:
    """A strided 3x3 convolution 3 -> 8, PReLU, and a transposed 2x2 one 8 -> 4 of int8 weights."""
    arrays = {
        "weight": np.zeros((8, 3, 3, 3), np.float32),
        "bias": np.zeros(8, np.float32),
        "slope": np.zeros((8, 1, 1), np.float32),
        "int8": np.zeros((8, 4, 2, 2), np.int8),
        "scale": np.array(0.1, np.float32),
        "axes": np.zeros(2, np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["a"], strides=[2, 2], pads=[1] * 4),
        helper.make_node("PRelu", ["a", "slope"], ["b"]),
        helper.make_node("DequantizeLinear", ["int8", "scale"], ["weight_2"]),
        helper.make_node("ConvTranspose", ["b", "weight_2"], ["y"], strides=[2, 2]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 10, 12])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4, 10, 12])
    weights = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    model = helper.make_model(helper.make_graph(nodes, "costs", [x], [y], weights))
    onnx.save(onnx.shape_inference.infer_shapes(model) if with_sizes else model, path)
    return path


def test_costs_are_those_counted_by_hand(tmp_path: Path):
    path = write_graph(tmp_path / "model.onnx", with_sizes=True)

    costs = graph_costs(path)

    assert costs.parameters == 8 * 3 * 9 + 8 + 8 + 8 * 4 * 4
    # Both are 5x6 where they are counted: what the first gives and the second takes.
    assert costs.gmacs == pytest.approx(5 * 6 * (8 * 3 * 9 + 8 * 4 * 4) / 1e9)
    assert costs.file_bytes == path.stat().st_size


def test_without_sizes_there_are_no_macs(tmp_path: Path):
    assert graph_costs(write_graph(tmp_path / "model.onnx", with_sizes=False)).gmacs is None


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_models_cost_what_onnx_reads_of_them(name: str):
    path = shipped_models()[name]
    graph = onnx.load(path).graph
    weights = {tensor.name: numpy_helper.to_array(tensor).size for tensor in graph.initializer}
    trained = ("Conv", "ConvTranspose", "PRelu")
    used = {i for node in graph.node if node.op_type in trained for i in node.input[1:]}

    assert graph_costs(path).parameters == sum(weights[name] for name in used)
    assert graph_costs(path).gmacs is not None
