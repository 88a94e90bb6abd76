"""From anything that holds trained weights to what a runtime loads, checked against torch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from swiftseg.core import OUTPUT_KINDS, OutputKind, UsageError, unknown_name
from swiftseg.data.images.band_file import read_picture
from swiftseg.exporting.checked_export import export_onnx
from swiftseg.exporting.export_board import BoardParity, check_format, export_board
from swiftseg.exporting.half_precision import HalfReport, halve_weights
from swiftseg.exporting.parity import ParityReport
from swiftseg.exporting.quantization import QuantizationReport, quantize_onnx
from swiftseg.inference import find_model
from swiftseg.inference.calibration_frames import read_calibration
from swiftseg.kernels.resize import resize_frame
from swiftseg.prediction.sources import find_sources
from swiftseg.runtimes import read_spec
from swiftseg.trained import load_trained

PRECISIONS = ("f32", "fp16", "int8")

ONNX = "onnx"


@dataclass(frozen=True)
class Exported:
    """An exported file and how it was judged.

    Attributes:
        parity: Its engines against torch; None where an exported file was written again.
        quantization: What int8 costs and gains; None in other precisions.
        half: What half precision costs and gains; None in other precisions.
        board: A folder for a board against torch; None for .onnx files.
    """

    path: Path
    name: str
    parity: ParityReport | None
    quantization: QuantizationReport | None = None
    half: HalfReport | None = None
    board: BoardParity | None = None


def export(
    model: Path | str,
    out: Path | str,
    *,
    format_name: str = ONNX,
    output: OutputKind = "labels",
    size_hw: tuple[int, int] | None = None,
    frames: Path | str | Iterable[np.ndarray] | None = None,
    name: str | None = None,
    precision: str = "f32",
    calibration: Path | str | None = None,
    max_drop: float = 0.5,
) -> Exported:
    """Write a model as one .onnx file, or a folder for a board, that says all about itself.

    The file is written only when every installed engine gives torch's answers on the same frames;
    with int8 only when it is faster on this machine and loses no more than `max_drop`. With fp16
    weights take half the space, and the speed stays.

    Args:
        model: What `find_model` takes; an exported file only for fp16 and int8.
        out: The file to write; the folder, for another format than ONNX.
        format_name: `onnx`, or one of `swiftseg.exporting.formats.FORMATS`.
        output: What the file returns first, see `swiftseg.runtimes.base`.
        size_hw: The input size (height, width); None takes the model's own.
        frames: Images to compare on: a folder, or frames uint8 (H, W, 3); None draws street scenes.
        name: The model's name; None keeps its own.
        precision: `f32`, `fp16` or `int8`; for a board one of its format's.
        calibration: For int8, a folder of images, or labeled data whose val split is used.
        max_drop: For int8, the points of mean IoU (of equal labels without masks) it may lose.

    Raises:
        UsageError: A name or value does not exist, or options do not go together.
        SwiftsegError: The model cannot be read, or the file was refused; the message says why.
    """
    out = Path(out)
    if output not in OUTPUT_KINDS:
        raise unknown_name("output", output, OUTPUT_KINDS)
    if format_name != ONNX:
        check_format(format_name, precision)
    elif precision not in PRECISIONS:
        raise unknown_name("precision", precision, PRECISIONS)
    check_calibration(precision, calibration)
    if format_name != ONNX and output != "labels":
        raise UsageError("--output is for --format onnx")
    found = find_model(model)
    if found.weights is None and format_name != ONNX:
        raise UsageError(
            f"{found.name} is exported already; --format {format_name} starts from a checkpoint "
            "(.pt), imported weights (.safetensors) or a shipped model"
        )
    changes = bool(size_hw or frames is not None or name or output != "labels")
    again = format_name == ONNX and precision != "f32"
    if again and found.exported is not None and not changes:
        return _export_again(found.exported, out, precision, calibration, max_drop, None)
    if found.weights is None:
        raise UsageError(
            f"{found.name} is exported already; an exported file can only be written again with "
            "--precision fp16 or int8, and without --size, --frames, --name and --output"
        )
    network, spec = load_trained(found.weights)
    input_spec = replace(spec.input, size_hw=size_hw or spec.input.size_hw)
    spec = replace(spec, name=name or spec.name, input=input_spec)
    compared = None if frames is None else _Resized(frames, input_spec.size_hw)
    if isinstance(frames, Iterator):
        compared = list(_Resized(frames, input_spec.size_hw))  # it can be walked through once
    if format_name != ONNX:
        board = export_board(
            network,
            spec,
            out,
            format_name=format_name,
            precision=precision,
            frames=compared,
            calibration=None if calibration is None else read_calibration(Path(calibration), spec),
            max_drop=max_drop,
        )
        return Exported(out, spec.name, None, board=board)
    if not again:
        parity = export_onnx(network, spec, out, output=output, frames=compared)
        return Exported(out, spec.name, parity)
    with TemporaryDirectory(prefix="swiftseg-") as folder:
        in_float = Path(folder) / "float.onnx"
        parity = export_onnx(network, spec, in_float, output=output, frames=compared)
        return _export_again(in_float, out, precision, calibration, max_drop, parity)


def check_calibration(precision: str, calibration: Path | str | None) -> None:
    """Raise UsageError for int8 without frames, or frames without int8."""
    if precision == "int8" and calibration is None:
        raise UsageError("--precision int8 needs frames: name a folder with --calibration DIR")
    if precision != "int8" and calibration is not None:
        raise UsageError("--calibration is for --precision int8")


@dataclass(frozen=True)
class _Resized:
    """Frames at another size, read one by one each time they are walked through."""

    frames: Path | str | Iterable[np.ndarray]
    size_hw: tuple[int, int]

    def __iter__(self) -> Iterator[np.ndarray]:
        frames = self.frames
        if isinstance(frames, Path | str):
            frames = images_in(Path(frames))
        return (resize_frame(frame, self.size_hw) for frame in frames)


def _export_again(
    source: Path,
    out: Path,
    precision: str,
    calibration: Path | str | None,
    max_drop: float,
    parity: ParityReport | None,
) -> Exported:
    spec = read_spec(source)
    if precision == "fp16":
        return Exported(out, spec.name, parity, half=halve_weights(source, out))
    assert calibration is not None  # see `check_calibration`
    if not spec.input.is_rgb:
        raise UsageError(
            f"--precision int8 is for 8-bit RGB, and {spec.name} takes {spec.input.described}"
        )
    seen = read_calibration(Path(calibration), spec)
    report = quantize_onnx(source, out, seen, max_drop=max_drop)
    return Exported(out, spec.name, parity, report)


def images_in(folder: Path) -> Iterator[np.ndarray]:
    """Yield the images of a folder, uint8 (H, W, 3) or of their own bands, read one by one."""
    return (read_picture(source.given) for source in find_sources([str(folder)]))
