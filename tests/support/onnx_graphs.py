"""Small ONNX graphs, and what they compute by onnx's own reference evaluator."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def small_graph(
    nodes: Sequence[NodeProto],
    weights: Mapping[str, np.ndarray],
    input_shape: Sequence[int | str],
    *,
    dtype: int = TensorProto.FLOAT,
    outputs: Sequence[str] = ("y",),
) -> ModelProto:
    """Makes a model from `x` to float32 outputs."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", dtype, input_shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def computed(model: ModelProto, x: np.ndarray) -> list[np.ndarray]:
    return ReferenceEvaluator(model).run(None, {"x": x})


def rewritten(
    model: ModelProto, rewrite: Callable[[ModelProto], None], x: np.ndarray, *, tolerance: float
) -> Counter[str]:
    """Rewrites, checks that the outputs stay, and counts the operators that are left."""
    after = onnx.shape_inference.infer_shapes(deepcopy(model))
    rewrite(after)
    onnx.checker.check_model(after, full_check=True)
    for ours, theirs in zip(computed(after, x), computed(model, x), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    return Counter(node.op_type for node in after.graph.node)
