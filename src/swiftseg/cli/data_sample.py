"""`swiftseg data sample`: a small data set to try training and everything else on."""

from pathlib import Path
from typing import Annotated

import typer


def sample(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="New folder.")],
    scenes: Annotated[
        int, typer.Option(min=2, help="Number of scenes; a fifth is for validation.")
    ] = 50,
) -> None:
    """Write rendered street scenes with masks, to try things out.

    DIR gets images, masks and a dataset.yaml with CamVid's classes. Scenes are 256x192 pixels.
    """
    from swiftseg.prediction.street_data import write_street_data

    counts = write_street_data(out, scenes)
    typer.echo(f"{out}: {', '.join(f'{split} {count}' for split, count in counts.items())}")
    typer.echo(f"train on them: swiftseg train enet --data {out} --preset tiny")
