"""LiteRT's file; needs the `litert` extra."""

import re
from pathlib import Path

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.litert_engine import GRAPH

with needs_extra("--format litert", "litert"):
    import litert_torch  # pyright: ignore


def write(graph: ScoreGraph, folder: Path, precision: str) -> tuple[str, str]:
    """Write the file; see `swiftseg.exporting.formats.Write`."""
    del precision
    try:
        converted = litert_torch.convert(graph.module, (graph.example,))
    except RuntimeError as error:
        lacking = sorted(set(re.findall(r"failed to legalize operation '([^']+)'", str(error))))
        if not lacking:
            raise
        raise SwiftsegError(f"LiteRT's converter refuses {', '.join(lacking)}") from error
    converted.export(str(folder / GRAPH))
    return "args_0", "output_0"
