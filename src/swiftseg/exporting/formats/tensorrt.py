"""A graph for TensorRT's parser: ONNX of operators that it has; needs the `train` extra.

An engine (`.plan`) fits one GPU and one version of TensorRT, so that it is built where it runs:

    trtexec --onnx=model.onnx --saveEngine=model.plan
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.exporting.formats.onnx_scores import IMAGE, SCORES, in_int8, onnx, onnx_scores
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.exporting.half_precision import store_in_half
from swiftseg.runtimes.onnx_scores_engine import GRAPH

# Of the table of onnx-tensorrt (docs/operators.md), those that image networks are made of.
OPERATORS = frozenset(
    (
        *("Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat"),
        *("Constant", "Conv", "ConvTranspose", "DepthToSpace", "DequantizeLinear", "Div", "Elu"),
        *("Equal", "Exp", "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND"),
        *("Gemm", "GlobalAveragePool"),
        *("GlobalMaxPool", "Greater", "HardSigmoid", "Identity", "LeakyRelu", "Less", "LRN"),
        *("MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow"),
        *("QuantizeLinear", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu"),
        *("Reshape", "Resize", "Shape", "Sigmoid", "Slice", "Softmax", "SpaceToDepth", "Split"),
        *("Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Where"),
    )
)


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the file; see `swiftseg.exporting.formats.Write`."""
    model = onnx_scores(graph)
    lacking = sorted({node.op_type for node in model.graph.node} - OPERATORS)
    if lacking:
        raise SwiftsegError(f"TensorRT lacks the operators {', '.join(lacking)}")
    if precision == "fp16":
        store_in_half(model.graph)
    elif precision == "int8":
        model = in_int8(model, images, symmetric=True)
    onnx.checker.check_model(model, full_check=True)
    (folder / GRAPH).write_bytes(model.SerializeToString())
    return IMAGE, SCORES
