"""Core ML's package; needs the `coreml` extra. It runs on Apple's systems alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from swiftseg.core import needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph

with needs_extra("--format coreml", "coreml"):
    import coremltools as ct  # pyright: ignore

PACKAGE = "model.mlpackage"


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the package; see `swiftseg.exporting.formats.Write`."""
    del images  # it has no int8 here
    program = torch.export.export(graph.module, (graph.example,)).run_decompositions({})
    chosen = ct.precision.FLOAT16 if precision == "fp16" else ct.precision.FLOAT32
    model = ct.convert(
        program,
        convert_to="mlprogram",
        compute_precision=chosen,
        inputs=[ct.TensorType(name="image", shape=tuple(graph.example.shape))],
        outputs=[ct.TensorType(name="scores")],
        minimum_deployment_target=ct.target.iOS15,
        skip_model_load=True,
    )
    model.save(str(folder / PACKAGE))
    return "image", "scores"
