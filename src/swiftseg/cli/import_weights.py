"""`swiftseg import`: a public port's checkpoint in, weights of a network here out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import SizeOption, parse_size
from swiftseg.core import needs_extra

if TYPE_CHECKING:
    from swiftseg.importing import Imported
    from swiftseg.trained import Description


def import_weights(
    checkpoint: Annotated[
        Path, typer.Argument(help="State dict: .safetensors, or from torch.save.")
    ],
    network: Annotated[str, typer.Option("--as", help="Network that the weights belong to.")],
    out: Annotated[Path, typer.Option(help="File to write, such as weights.safetensors.")],
    port: Annotated[
        str | None,
        typer.Option(
            help="Implementation that the file is from.", show_default="detected from its layers"
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A set such as cityscapes, or a file.",
            show_default="the port's, or class_0 and so on",
        ),
    ] = None,
    size: SizeOption = None,
    normalization: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|plain|caffe",
            help="Normalization of its frames.",
            show_default="the port's",
        ),
    ] = None,
) -> None:
    """Import weights from another implementation of a network.

    Every tensor has to fit. Where the implementation departs from the paper, the network is built
    in its variant, or the file is refused. No code in the file is executed. Where the normalization
    of its frames is known, the result is ready for predict and export.
    """
    with needs_extra("swiftseg import", "train"):
        from swiftseg.importing import MisfitError, import_checkpoint
        from swiftseg.importing.published_labels import find_labels
        from swiftseg.trained import save_weights
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
    print_next(described, out)


def print_next(described: "Description", out: Path) -> None:
    """Print what is still to be told of the weights, or else what to do with them."""
    from swiftseg.importing.published_labels import label_sets_of

    assert described.labels is not None  # an import names them in any case
    names = described.labels.names
    typer.echo(f"classes: {', '.join(names)}")
    if names[0] == "class_0":
        sets = ", ".join([*label_sets_of(len(names)), "a file with a name a line"])
        typer.echo(f"to name the classes, import again with --labels: {sets}")
    if described.input is None:
        typer.echo(
            "the normalization of its frames is unknown; to predict or export, import it "
            "again with --normalization imagenet, plain or caffe"
        )
        return
    height, width = described.input.size_hw
    typer.echo(f"input: {height}x{width}; --size takes another")
    typer.echo(f"next: swiftseg predict IMAGE --model {out}")
