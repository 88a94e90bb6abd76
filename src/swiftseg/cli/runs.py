"""`swiftseg runs`: many trainings side by side."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import SwiftsegError

if TYPE_CHECKING:
    from rich.table import Table

    from swiftseg.cli.run_list import Run

COLUMNS = (
    "run", "network", "stage", "epoch", "mIoU %", "on", "loss", "time", "precision", "seed",
    "state",
)  # fmt: skip
NUMBERS = ("epoch", "mIoU %", "loss", "time", "seed")


def runs(
    folder: Annotated[Path, typer.Argument(help="A folder with runs in it, at any depth.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare many trainings: how far each is, its best score, and what that was measured on.

    A score on `val` and one on a group that was held out are no two numbers to compare.
    """
    from swiftseg.cli.run_list import by_score, find_runs, read_run

    found: list[Run] = []
    broken: list[str] = []
    for path in find_runs(folder):
        try:
            found.append(read_run(path))
        except SwiftsegError as error:
            broken.append(str(error))
    found = list(by_score(found))
    if as_json:
        rows = [{**asdict(run), "folder": str(run.folder)} for run in found]
        typer.echo(json.dumps({"runs": rows, "broken": broken}, indent=2))
        return
    from rich.console import Console

    if found:
        Console().print(run_table(found, folder))
    for problem in broken:
        typer.echo(f"broken: {problem}", err=True)


def run_table(found: "list[Run]", root: Path) -> "Table":
    """Lists runs by their folders below `root`."""
    from rich.table import Table

    table = Table()
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in NUMBERS else "left")
    for run in found:
        name = str(run.folder.relative_to(root))
        table.add_row(
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
    return table
