"""ExecuTorch's program for XNNPACK; needs the `executorch` extra."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from swiftseg.core import needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.executorch_engine import PROGRAM

with needs_extra("--format executorch", "executorch"):
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # pyright: ignore
        XnnpackPartitioner,
    )
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (  # pyright: ignore
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from executorch.exir import to_edge_transform_and_lower  # pyright: ignore
    from torchao.quantization.pt2e.quantize_pt2e import (  # pyright: ignore
        convert_pt2e,
        prepare_pt2e,
    )


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the program; see `swiftseg.exporting.formats.Write`.

    What XNNPACK lacks stays with ExecuTorch's portable operators.
    """
    program = torch.export.export(graph.module, (graph.example,))
    if precision == "int8":
        program = torch.export.export(_in_int8(program.module(), images), (graph.example,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    (folder / PROGRAM).write_bytes(lowered.to_executorch().buffer)
    return "image", "scores"


def _in_int8(module: Any, images: Sequence[np.ndarray]) -> Any:
    """Return a traced graph with what XNNPACK computes in int8 marked as such."""
    config = get_symmetric_quantization_config(is_per_channel=True)
    prepared = prepare_pt2e(module, XNNPACKQuantizer().set_global(config))
    with torch.inference_mode():
        for image in images:
            prepared(torch.from_numpy(image))
    return convert_pt2e(prepared)
