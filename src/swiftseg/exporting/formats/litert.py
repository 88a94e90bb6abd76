"""LiteRT's file; needs the `litert` extra."""

from pathlib import Path

from swiftseg.core import MissingExtraError
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.litert_engine import GRAPH

try:
    import litert_torch  # pyright: ignore
except ModuleNotFoundError as error:
    raise MissingExtraError("--format litert", "litert") from error


def write(graph: ScoreGraph, folder: Path, precision: str) -> tuple[str, str]:
    """Write the file; see `swiftseg.exporting.formats.Write`."""
    del precision
    litert_torch.convert(graph.module, (graph.example,)).export(str(folder / GRAPH))
    return "args_0", "output_0"
