"""`swiftseg export`: a checkpoint in, one self-describing file out."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import OUTPUT_KINDS, MissingExtraError, OutputKind, UsageError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from swiftseg.export import ParityReport


def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint of swiftseg train.")],
    out: Annotated[Path, typer.Option(help="The file to write, such as model.onnx.")],
    output: Annotated[
        str, typer.Option(help="What the file gives: labels (and logits), logits, or probs.")
    ] = "labels",
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="Input size, such as 360x480 [the recipe's].")
    ] = None,
    frames: Annotated[
        Path | None, typer.Option(help="A folder of images to compare on [drawn street scenes].")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name [the recipe's].")] = None,
) -> None:
    """Export a checkpoint as one .onnx file and compare the two.

    The file takes uint8 frames and holds normalization, classes and palette; it needs no torch. It
    is written only when every installed engine gives torch's answers on the same frames.
    """
    from rich.console import Console

    kind = parse_output(output)
    size_hw = None if size is None else parse_size(size)
    try:
        from swiftseg.export import export_onnx
        from swiftseg.training.checkpoint import load_network
    except ImportError as error:
        raise MissingExtraError("swiftseg export", "train") from error
    network, spec = load_network(checkpoint)
    input_spec = replace(spec.input, size_hw=size_hw or spec.input.size_hw)
    spec = replace(spec, name=name or spec.name, input=input_spec)
    images = None if frames is None else read_frames(frames, input_spec.size_hw)
    report = export_onnx(network, spec, out, output=kind, frames=images)
    console = Console()
    console.print(parity_table(report))
    console.print(f"{out}: {spec.name}, {out.stat().st_size / 1e6:.2f} MB")


def parse_output(output: str) -> OutputKind:
    """Finds the kind of output of that name."""
    for kind in OUTPUT_KINDS:
        if kind == output:
            return kind
    raise unknown_name("output", output, OUTPUT_KINDS)


def parse_size(size: str) -> tuple[int, int]:
    """Reads a size such as 360x480 as (height, width)."""
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise UsageError(f"expected --size as HEIGHTxWIDTH, such as 360x480, got {size!r}")
    return int(match[1]), int(match[2])


def read_frames(folder: Path, size_hw: tuple[int, int]) -> Iterator["np.ndarray"]:
    """Finds the images of a folder, to be read one by one and resized to what the network sees."""
    import numpy as np
    from PIL import Image

    from swiftseg.cli.inputs import find_sources
    from swiftseg.data.image_file import read_image

    height, width = size_hw
    images = (Image.fromarray(read_image(s.given)) for s in find_sources([str(folder)]))
    return (np.asarray(i.resize((width, height), Image.Resampling.BILINEAR)) for i in images)


def parity_table(report: "ParityReport") -> "Table":
    """Lists each engine's agreement with torch."""
    from rich.table import Table

    from swiftseg.export.parity import MAX_MEAN_DIFFERENCE, MIN_EQUAL_LABELS

    table = Table(title=f"Against torch on {report.frames} frames", title_justify="left")
    table.add_column("engine")
    table.add_column("largest difference", justify="right")
    table.add_column("mean difference / deviation", justify="right")
    table.add_column("equal labels %", justify="right")
    for parity in report.engines:
        table.add_row(
            parity.engine,
            f"{parity.largest_difference:.1e}",
            f"{parity.mean_difference:.1e}",
            f"{100 * parity.equal_labels:.4f}",
        )
    table.add_section()
    table.add_row("asked for", "", f"<= {MAX_MEAN_DIFFERENCE:.0e}", f">= {100 * MIN_EQUAL_LABELS}")
    return table
