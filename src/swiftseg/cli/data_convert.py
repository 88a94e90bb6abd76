"""`swiftseg data convert`: a labeling tool's export as pictures and index masks."""

from pathlib import Path
from typing import Annotated

import typer


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Export of a labeling tool, or its file.")
    ],
    out: Annotated[Path, typer.Argument(metavar="DIR", help="New folder.")],
    split: Annotated[
        list[str] | None, typer.Option(help="Write only this split; repeatable.")
    ] = None,
) -> None:
    """Write a labeling tool's export as pictures and masks.

    DIR gets images, masks with a palette, and a dataset.yaml that `data check` and `train` take.
    Training reads exports as they are; this is for looking at masks, or for other programs.
    Pictures are hard links where the file system has them, else copies.
    """
    from swiftseg.core.progress import LateProgress
    from swiftseg.data.annotations.convert import convert_annotations, summary_lines

    with LateProgress("images") as progress:
        done = convert_annotations(source, out, split or (), progress)
    for finding in done.findings:
        count = f" [{finding.count} times]" if finding.count > 1 else ""
        typer.echo(f"{finding.severity}: {finding.message}{count}", err=True)
    for failure in done.failed:
        typer.echo(f"not written: {failure}", err=True)
    for line in summary_lines(done):
        typer.echo(line)
    if done.failed:
        raise typer.Exit(1)
