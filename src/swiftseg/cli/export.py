"""`swiftseg export`: a checkpoint in, one self-describing file out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import MODEL_HELP, SizeOption, parse_size
from swiftseg.cli.plain_output import new_table, terminal
from swiftseg.core import OUTPUT_KINDS, UsageError, known_name, needs_extra, unknown_name

if TYPE_CHECKING:
    from rich.table import Table

    from swiftseg.exporting import ParityReport
    from swiftseg.exporting.export_board import BoardParity
    from swiftseg.exporting.quantization import QuantizationReport

ONNX, WEB, TRITON = "onnx", "web", "triton"


def export(
    model: Annotated[str, typer.Argument(help=MODEL_HELP)],
    out: Annotated[Path, typer.Option(help="File or folder to write, such as model.onnx.")],
    form: Annotated[
        str, typer.Option("--format", help="onnx, web, triton, or a board's (see above).")
    ] = "onnx",
    output: Annotated[str, typer.Option(help="labels (with logits), logits, or probs.")] = "labels",
    size: SizeOption = None,
    frames: Annotated[
        Path | None,
        typer.Option(help="Images to compare on.", show_default="drawn street scenes"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model.", show_default="the recipe's")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="f32, fp16 (half the size), or int8 with --calibration.")
    ] = "f32",
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For int8: images, or labeled data (its val split)."),
    ] = None,
    max_drop: Annotated[
        float, typer.Option(help="For int8: largest loss of mean IoU, in points.")
    ] = 0.5,
) -> None:
    """Export a model as one .onnx file, checked against torch.

    The file takes uint8 frames and holds normalization, classes and palette; it needs no torch. It
    is written only when every installed engine gives torch's answers on the same frames; with int8
    only when it is faster on this machine and loses no more than --max-drop. With fp16 weights take
    half the space and are widened when the file is loaded: the speed stays. The formats web (a
    page that segments in the browser) and triton (a model repository) take a shipped model's name
    or an exported .onnx file, and no torch. The formats of boards (coreml, executorch, litert,
    ncnn, openvino, tensorrt) are folders, which are compared with torch in the same way.
    """
    from swiftseg.exporting.formats import FORMATS

    if form not in (ONNX, *FORMATS):
        if size or frames or name or calibration or (output, precision) != ("labels", "f32"):
            raise UsageError(f"--format {form} takes a model as it is: leave out the other options")
        export_folder(model, out, form)
        return
    size_hw, kind = parse_size(size), known_name("output", output, OUTPUT_KINDS)
    with needs_extra("swiftseg export", "train"):
        from swiftseg.exporting.export_model import export as export_model
    exported = export_model(
        model,
        out,
        format_name=form,
        output=kind,
        size_hw=size_hw,
        frames=frames,
        name=name,
        precision=precision,
        calibration=calibration,
        max_drop=max_drop,
    )
    console = terminal()
    if exported.parity is not None:
        console.print(parity_table(exported.parity))
    if exported.quantization is not None:
        console.print(quantization_table(exported.quantization))
    if exported.half is not None:
        share = f"{exported.half.equal_labels:.3%} of float32's labels"
        console.print(f"{share} on {exported.half.frames} frames")
    if exported.board is not None:
        console.print(told_of(exported.board))
    path = exported.path
    files = [path, *path.rglob("*")]
    megabytes = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    console.print(f"{out}: {exported.name}, {megabytes:.2f} MB")


def export_folder(model: str, out: Path, form: str) -> None:
    """Write a folder around an exported file, and say where."""
    from swiftseg.exporting.formats import FORMATS
    from swiftseg.inference import find_model

    if form not in (WEB, TRITON):
        raise unknown_name("format", form, (ONNX, WEB, TRITON, *FORMATS))
    path = find_model(model).exported
    if path is None:
        raise UsageError(f"--format {form} takes an exported file; export {model} as .onnx first")
    if form == TRITON:
        from swiftseg.exporting.triton import export_triton

        typer.echo(f"{export_triton(path, out)}: tritonserver --model-repository {out}")
        return
    from swiftseg.exporting.web import export_web

    export_web(path, out)
    typer.echo(f"{out}: any static host serves it, such as python -m http.server -d {out}")


def told_of(parity: "BoardParity") -> str:
    """Say how an exported folder compares with torch."""
    own = parity.ran_in == parity.format
    elsewhere = "" if own else f", run in {parity.ran_in}; {parity.format} itself was not available"
    if parity.measure:
        return (
            f"{parity.format} in int8: {parity.measure} {parity.before:.2f} % before, "
            f"{parity.after:.2f} % after, on {parity.frames} frames{elsewhere}"
        )
    if parity.equal_labels is None:
        return (
            f"{parity.format} does not run here: its converter took every operator, and the "
            "labels were not compared"
        )
    return (
        f"{parity.format} in {parity.precision} gives {parity.equal_labels:.4%} of torch's labels "
        f"on {parity.frames} frames{elsewhere}"
    )


def quantization_table(report: "QuantizationReport") -> "Table":
    """List what int8 costs and gains."""
    in_int8 = report.convolutions - len(report.in_float)
    title = f"int8 in {in_int8} of {report.convolutions} convolutions, on {report.frames} frames"
    table = new_table("", "f32", "int8", title=title)
    table.add_row(f"{report.measure} %", f"{report.before:.2f}", f"{report.after:.2f}")
    table.add_row("ms per frame", f"{report.before_ms:.2f}", f"{report.after_ms:.2f}")
    table.add_row("in", report.before_backend, report.after_backend)
    return table


def parity_table(report: "ParityReport") -> "Table":
    """List each engine's agreement with torch."""
    from swiftseg.exporting.parity import LEAST_EQUAL_LABELS, MAX_USUAL_DIFFERENCE

    numbers = ("largest difference", "usual difference / deviation", "equal labels %")
    title = f"Against torch on {report.frames} frames"
    table = new_table("engine", *numbers, numbers=numbers, title=title)
    for parity in report.engines:
        table.add_row(
            parity.engine,
            f"{parity.largest_difference:.1e}",
            f"{parity.usual_difference:.1e}",
            f"{100 * parity.equal_labels:.4f}",
        )
    table.add_section()
    least = f">= {100 * LEAST_EQUAL_LABELS:g}"
    table.add_row("required", "", f"<= {MAX_USUAL_DIFFERENCE:.0e}", least)
    return table
