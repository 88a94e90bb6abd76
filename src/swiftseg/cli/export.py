"""`swiftseg export`: a checkpoint in, one self-describing file out."""

import re
import tempfile
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
    from swiftseg.export.quantization import QuantizationReport

PRECISIONS = ("f32", "fp16", "int8")


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A checkpoint or shipped weights; for fp16 and int8 an exported file, too."
        ),
    ],
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
    precision: Annotated[
        str, typer.Option(help="f32, fp16 for half the file, or int8 with --calibration.")
    ] = "f32",
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="For int8: frames of the model's proportions, or data with masks (their val).",
        ),
    ] = None,
    max_drop: Annotated[
        float,
        typer.Option(help="For int8: points of mean IoU, or of equal labels without masks."),
    ] = 0.5,
) -> None:
    """Export a checkpoint or shipped weights as one .onnx file and compare the two.

    The file takes uint8 frames and holds normalization, classes and palette; it needs no torch. It
    is written only when every installed engine gives torch's answers on the same frames; with int8
    only when it is faster on this machine and loses no more than --max-drop. With fp16 weights take
    half the space and are computed with in float32, at the same speed.
    """
    kind = parse_output(output)
    size_hw = None if size is None else parse_size(size)
    check_precision(precision, calibration)
    if precision == "f32":
        export_float(model, out, kind, size_hw, frames, name)
        return
    from swiftseg.inference.model_path import CHECKPOINT_SUFFIXES, model_path
    from swiftseg.weights import shipped_weights

    def reduce(source: Path) -> None:
        if precision == "fp16":
            export_fp16(source, out)
            return
        assert calibration is not None
        export_int8(source, out, calibration, max_drop)

    changes = bool(size or frames or name or output != "labels")
    if Path(model).suffix not in CHECKPOINT_SUFFIXES and not changes:
        reduce(model_path(model))
        return
    if Path(model).suffix not in CHECKPOINT_SUFFIXES and model not in shipped_weights():
        raise UsageError(
            f"{model} is exported already; --size, --frames, --name and --output "
            "are for checkpoints and shipped weights"
        )
    with tempfile.TemporaryDirectory() as folder:
        in_float = Path(folder) / "float.onnx"
        export_float(model, in_float, kind, size_hw, frames, name)
        reduce(in_float)


def check_precision(precision: str, calibration: Path | None) -> None:
    """Raises UsageError for an unknown precision, or one without the options it needs."""
    if precision not in PRECISIONS:
        raise unknown_name("precision", precision, PRECISIONS)
    if precision == "int8" and calibration is None:
        raise UsageError("--precision int8 needs frames: name a folder with --calibration DIR")
    if precision != "int8" and calibration is not None:
        raise UsageError("--calibration is for --precision int8")


def export_float(
    model: str,
    out: Path,
    output: OutputKind,
    size_hw: tuple[int, int] | None,
    frames: Path | None,
    name: str | None,
) -> None:
    """Exports a checkpoint or shipped weights in float32 and prints how the file compares."""
    from rich.console import Console

    try:
        from swiftseg.export import export_onnx
        from swiftseg.trained.trained_network import load_trained
    except ImportError as error:
        raise MissingExtraError("swiftseg export", "train") from error
    network, spec = load_trained(model)
    input_spec = replace(spec.input, size_hw=size_hw or spec.input.size_hw)
    spec = replace(spec, name=name or spec.name, input=input_spec)
    images = None if frames is None else read_frames(frames, input_spec.size_hw)
    report = export_onnx(network, spec, out, output=output, frames=images)
    console = Console()
    console.print(parity_table(report))
    console.print(f"{out}: {spec.name}, {out.stat().st_size / 1e6:.2f} MB")


def export_fp16(source: Path, out: Path) -> None:
    """Stores an exported file's weights in half precision and prints what that costs and gains."""
    from rich.console import Console

    try:
        from swiftseg.export.half_precision import halve_weights
    except ImportError as error:
        raise MissingExtraError("swiftseg export", "train") from error
    report = halve_weights(source, out)
    Console().print(
        f"{out}: {report.bytes / 1e6:.2f} MB ({report.float_bytes / 1e6:.2f} MB in float32), "
        f"{report.equal_labels:.3%} of float32's labels on {report.frames} frames"
    )


def export_int8(source: Path, out: Path, folder: Path, max_drop: float) -> None:
    """Quantizes an exported file and prints what that costs and gains."""
    from rich.console import Console

    from swiftseg.inference.calibration_frames import read_calibration
    from swiftseg.runtimes import read_spec

    spec = read_spec(source)
    calibration = read_calibration(folder, spec.input.size_hw, spec.labels)
    try:
        from swiftseg.export.quantization import quantize_onnx
    except ImportError as error:
        raise MissingExtraError("swiftseg export", "train") from error
    report = quantize_onnx(
        source, out, calibration.frames, masks=calibration.masks, max_drop=max_drop
    )
    console = Console()
    console.print(quantization_table(report))
    console.print(f"{out}: {spec.name}, {out.stat().st_size / 1e6:.2f} MB")


def quantization_table(report: "QuantizationReport") -> "Table":
    """Lists what int8 costs and gains."""
    from rich.table import Table

    in_int8 = report.convolutions - len(report.in_float)
    title = f"int8 in {in_int8} of {report.convolutions} convolutions, on {report.frames} frames"
    table = Table("", "f32", "int8", title=title, title_justify="left")
    table.add_row(f"{report.measure} %", f"{report.before:.2f}", f"{report.after:.2f}")
    table.add_row("ms a frame", f"{report.before_ms:.2f}", f"{report.after_ms:.2f}")
    table.add_row("in", report.before_backend, report.after_backend)
    return table


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

    from swiftseg.data.images.image_file import read_image
    from swiftseg.prediction.sources import find_sources

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
