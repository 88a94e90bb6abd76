"""ExecuTorch's program for XNNPACK; needs the `executorch` extra."""

from pathlib import Path

import torch

from swiftseg.core import needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.executorch_engine import PROGRAM

with needs_extra("--format executorch", "executorch"):
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # pyright: ignore
        XnnpackPartitioner,
    )
    from executorch.exir import to_edge_transform_and_lower  # pyright: ignore


def write(graph: ScoreGraph, folder: Path, precision: str) -> tuple[str, str]:
    """Write the program; see `swiftseg.exporting.formats.Write`.

    What XNNPACK lacks stays with ExecuTorch's portable operators.
    """
    del precision
    program = torch.export.export(graph.module, (graph.example,))
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    (folder / PROGRAM).write_bytes(lowered.to_executorch().buffer)
    return "image", "scores"
