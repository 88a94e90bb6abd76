"""`swiftseg demo`: a drive down the toy street, segmented and scored."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import JsonOption
from swiftseg.cli.plain_output import new_table, terminal

if TYPE_CHECKING:
    from swiftseg.prediction.street_demo import DemoRun

MODEL = "enet-toystreet"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for overlay/ and the animation.")] = Path(
        "demo"
    ),
    frames: Annotated[int, typer.Option(min=1, help="Frames to render, 12 per second.")] = 48,
    as_json: JsonOption = False,
) -> None:
    """Render a short street clip, segment it, and score it.

    Writes OUT/overlay/NAME.png for every frame and OUT/toystreet.webp, an animation of the frames
    beside their overlays. Needs no data and no torch.
    """
    from swiftseg.inference import Segmenter
    from swiftseg.prediction.sources import check_writable
    from swiftseg.prediction.street_demo import run_demo

    segmenter = Segmenter.load(MODEL)
    check_writable(out)
    run = run_demo(segmenter, out, frames)
    if as_json:
        typer.echo(json.dumps(run.to_dict()))
    else:
        print_run(run)


def print_run(run: "DemoRun") -> None:
    """Print scores, times and where the pictures are."""
    from swiftseg.cli.score_table import score_table

    console = terminal()
    height, width = run.size_hw
    console.print(score_table(run.evaluation, f"{run.model}, {height}x{width}"))
    table = new_table("milliseconds per frame", "p50", "p95")
    for stage, times in run.timings_ms.items():
        table.add_row(stage, f"{times['p50']:.2f}", f"{times['p95']:.2f}")
    console.print(table)
    console.print(f"overlays:  {run.overlays}")
    console.print(f"animation: {run.animation}")
