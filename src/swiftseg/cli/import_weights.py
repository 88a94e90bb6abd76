"""`swiftseg import`: a public port's checkpoint in, weights of a network here out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.sizes import SizeOption, parse_size
from swiftseg.core import MissingExtraError

if TYPE_CHECKING:
    from swiftseg.importing import Imported


def import_weights(
    checkpoint: Annotated[Path, typer.Argument(help="A state dict, .safetensors or torch.save's.")],
    network: Annotated[str, typer.Option("--as", help="The network to fill.")],
    out: Annotated[Path, typer.Option(help="The file to write, such as weights.safetensors.")],
    port: Annotated[
        str | None,
        typer.Option(help="The port that wrote it.", show_default="detected from its layers"),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Class names: a published set such as cityscapes, or a file with a name a line.",
        ),
    ] = None,
    size: SizeOption = None,
    normalization: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|plain|caffe",
            help="How its frames are normalized.",
            show_default="the port's",
        ),
    ] = None,
) -> None:
    """Import the weights that a public port trained.

    Every tensor must find its place. Where the port departs from the paper, its own variant of the
    network is chosen, or the file is refused. Nothing in the file is run. With --labels and --size
    the result can be predicted with and exported as it is.
    """
    try:
        from swiftseg.importing import MisfitError, import_checkpoint
        from swiftseg.importing.published_labels import find_labels
        from swiftseg.trained import save_weights
    except ImportError as error:
        raise MissingExtraError("swiftseg import", "train") from error
    try:
        imported = import_checkpoint(
            checkpoint,
            network,
            port=port,
            labels=None if labels is None else find_labels(labels),
            size_hw=parse_size(size),
            normalization=normalization,
        )
    except MisfitError as error:
        for problem, names in (("no home", error.homeless), ("missing", error.missing)):
            for name in names:
                typer.echo(f"{problem}: {name}")
        raise
    save_weights(imported.weights, imported.description, out)
    print_summary(imported, out)


def print_summary(imported: "Imported", out: Path) -> None:
    """Print what was taken over from where, and all that was not taken as it was."""
    described = imported.description
    options = "".join(f", {name}={value}" for name, value in described.options.items())
    typer.echo(f"{described.network}, {described.num_classes} classes{options}")
    typer.echo(f"from: {described.source}")
    typer.echo(f"expects: {described.expects}")
    for deviation in imported.deviations:
        typer.echo(f"deviates: {deviation}")
    for line in imported.bridged:
        typer.echo(f"bridged: {line}")
    for name in imported.left_out:
        typer.echo(f"left out, used in training only: {name}")
    typer.echo(f"{out}: {len(imported.weights)} tensors, {out.stat().st_size / 1e6:.2f} MB")
    missing = [
        option
        for option, told in (("--labels", described.labels), ("--size", described.input))
        if told is None
    ]
    if missing:
        typer.echo(f"to predict or export with it, import it again with {' and '.join(missing)}")
