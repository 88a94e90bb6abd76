"""A score graph in ONNX, in float32 or with its convolutions in int8; needs the `train` extra."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph

with needs_extra("formats that are made by way of ONNX", "train"):
    import onnx
    import torch
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

IMAGE, SCORES = "image", "scores"
OPSET = 18  # as in swiftseg.exporting.onnx_file


def onnx_scores(graph: ScoreGraph) -> onnx.ModelProto:
    """Return the graph with the input `image` and the output `scores`."""
    program = torch.onnx.export(
        torch.export.export(graph.module, (graph.example,)),
        dynamo=True,
        verbose=False,
        input_names=[IMAGE],
        output_names=[SCORES],
        opset_version=OPSET,
    )
    assert program is not None  # None is what the older exporter gives
    return program.model_proto


def in_int8(
    model: onnx.ModelProto, images: Sequence[np.ndarray], *, symmetric: bool
) -> onnx.ModelProto:
    """Return the graph with quantization around its convolutions.

    Args:
        model: A graph of `onnx_scores`.
        images: float32 (1, 3, H, W), what the ranges of activations are taken from.
        symmetric: Whether 0 stands for 0 in activations too, as TensorRT asks; else they take all
            256 values.
    """
    if not any(node.op_type == "Conv" for node in model.graph.node):
        raise SwiftsegError("there is no convolution to quantize")
    with TemporaryDirectory(prefix="swiftseg-") as name:
        source, path = Path(name) / "float.onnx", Path(name) / "int8.onnx"
        onnx.save(model, source)
        quantize_static(
            source,
            path,
            _Images(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": symmetric},
        )
        return onnx.load(path)


class _Images(CalibrationDataReader):
    """Hand images to the calibrator one by one."""

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, np.ndarray]:
        image = next(self._images, None)
        return {} if image is None else {IMAGE: image}  # nothing ends it
