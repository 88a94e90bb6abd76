"""`swiftseg import`: a public port's checkpoint in, weights of a network here out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import MissingExtraError

if TYPE_CHECKING:
    from swiftseg.importing import Imported


def import_weights(
    checkpoint: Annotated[Path, typer.Argument(help="A state dict, .safetensors or torch.save's.")],
    network: Annotated[str, typer.Option("--as", help="The network that it is to fill.")],
    out: Annotated[Path, typer.Option(help="The file to write, such as weights.safetensors.")],
    port: Annotated[
        str | None, typer.Option(help="The port that wrote it [told by its names].")
    ] = None,
) -> None:
    """Take over the weights that a public port trained.

    Every tensor must find its place. Where the port departs from the paper, its own variant of the
    network is chosen, or the file is refused. Nothing in the file is run.
    """
    try:
        from swiftseg.importing import MisfitError, import_checkpoint, save_weights
    except ImportError as error:
        raise MissingExtraError("swiftseg import", "train") from error
    try:
        imported = import_checkpoint(checkpoint, network, port=port)
    except MisfitError as error:
        for problem, names in (("no home", error.homeless), ("missing", error.missing)):
            for name in names:
                typer.echo(f"{problem}: {name}")
        raise
    save_weights(imported, out)
    print_summary(imported, out)


def print_summary(imported: "Imported", out: Path) -> None:
    """Tells what was taken over from where, and all that was not taken as it was."""
    options = "".join(f", {name}={value}" for name, value in imported.options.items())
    typer.echo(f"{imported.network}, {imported.num_classes} classes{options}")
    typer.echo(f"from: {imported.source}")
    typer.echo(f"expects: {imported.expects}")
    for deviation in imported.deviations:
        typer.echo(f"deviates: {deviation}")
    for line in imported.bridged:
        typer.echo(f"bridged: {line}")
    for name in imported.left_out:
        typer.echo(f"left out, used in training only: {name}")
    typer.echo(f"{out}: {len(imported.weights)} tensors, {out.stat().st_size / 1e6:.2f} MB")
