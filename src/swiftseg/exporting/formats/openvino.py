"""OpenVINO's two files (IR); needs the `openvino` extra."""

from pathlib import Path

import torch

from swiftseg.core import needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.openvino_ir_engine import GRAPH

with needs_extra("--format openvino", "openvino"):
    import openvino as ov


def write(graph: ScoreGraph, folder: Path, precision: str) -> tuple[str, str]:
    """Write the files; see `swiftseg.exporting.formats.Write`."""
    program = torch.export.export(graph.module, (graph.example,))
    model = ov.convert_model(program, example_input=graph.example)
    model.inputs[0].get_tensor().set_names({"image"})
    model.outputs[0].get_tensor().set_names({"scores"})
    ov.save_model(model, folder / GRAPH, compress_to_fp16=precision == "fp16")
    return "image", "scores"
