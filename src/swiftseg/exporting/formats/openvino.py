"""OpenVINO's two files (IR); needs the `openvino` extra."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch

from swiftseg.core import needs_extra
from swiftseg.exporting.formats.onnx_scores import IMAGE, SCORES, in_int8, onnx_scores
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.openvino_ir_engine import GRAPH

with needs_extra("--format openvino", "openvino"):
    import openvino as ov


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the files; see `swiftseg.exporting.formats.Write`."""
    if precision == "int8":
        _write_int8(graph, folder / GRAPH, images)
        return IMAGE, SCORES
    program = torch.export.export(graph.module, (graph.example,))
    model = ov.convert_model(program, example_input=graph.example)
    model.inputs[0].get_tensor().set_names({IMAGE})
    model.outputs[0].get_tensor().set_names({SCORES})
    ov.save_model(model, folder / GRAPH, compress_to_fp16=precision == "fp16")
    return IMAGE, SCORES


def _write_int8(graph: ScoreGraph, path: Path, images: Sequence[np.ndarray]) -> None:
    """Write the files by way of ONNX, whose quantized convolutions OpenVINO runs in int8."""
    with TemporaryDirectory(prefix="swiftseg-") as name:
        source = Path(name) / "int8.onnx"
        onnx.save(in_int8(onnx_scores(graph), images, symmetric=False), source)
        ov.save_model(ov.convert_model(source), path, compress_to_fp16=False)
