"""`swiftseg runs`: many trainings side by side."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import JsonOption
from swiftseg.cli.plain_output import new_table, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from swiftseg.runs.listing import RunSummary

COLUMNS = (
    "run", "network", "stage", "epoch", "mIoU %", "on", "loss", "time", "precision", "seed",
    "state",
)  # fmt: skip
NUMBERS = ("epoch", "mIoU %", "loss", "time", "seed")
WIDE_TERMINAL = 110  # columns of text; narrower ones go without
WIDE_COLUMNS = ("stage", "loss", "precision", "seed")


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder with runs at any depth.")],
    as_json: JsonOption = False,
) -> None:
    """Compare trainings: progress, best score, and its data.

    Do not compare a score on `val` with one on a group that was held out.
    """
    from swiftseg.runs.listing import read_runs, summarize_seeds

    found, broken = read_runs(folder)
    seeds = summarize_seeds(found)
    if as_json:
        rows = [{**asdict(run), "folder": str(run.folder)} for run in found]
        summed = [{**asdict(one), "folder": str(one.folder)} for one in seeds]
        typer.echo(json.dumps({"runs": rows, "seeds": summed, "broken": broken}, indent=2))
        return
    if found:
        console = terminal()
        console.print(run_table(found, folder, wide=console.width >= WIDE_TERMINAL))
    for one in seeds:
        names = ", ".join(map(str, one.seeds))
        spread = f"{100 * one.mean_iou:.2f} ± {100 * one.deviation:.2f} %"
        typer.echo(f"{one.folder}: mIoU {spread}, mean and deviation of the seeds {names}")
    for problem in broken:
        typer.echo(f"broken: {problem}", err=True)


def run_table(found: "list[RunSummary]", root: Path, *, wide: bool) -> "Table":
    """List runs by their folders below `root`; a wide one says more of each."""
    columns = [column for column in COLUMNS if wide or column not in WIDE_COLUMNS]
    table = new_table(*columns, numbers=NUMBERS)
    for column in table.columns:
        column.no_wrap = column.header in NUMBERS
    for run in found:
        name = str(run.folder.relative_to(root))
        cells = (
            run.folder.resolve().name if name == "." else name,
            run.network,
            run.stage,
            f"{run.epoch}/{run.epochs}",
            "-" if run.mean_iou is None else f"{100 * run.mean_iou:.2f}",
            run.scored_on if run.hold_out is None else f"{run.hold_out} (held out)",
            "-" if run.loss is None else f"{run.loss:.4f}",
            "-" if run.wall_seconds is None else str(timedelta(seconds=round(run.wall_seconds))),
            run.precision,
            str(run.seed),
            run.state,
        )
        told = zip(COLUMNS, cells, strict=True)
        table.add_row(*(cell for column, cell in told if column in columns))
    return table
