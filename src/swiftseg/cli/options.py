"""The options that several commands have, alike in each."""

import re
from pathlib import Path
from typing import Annotated

import typer

from swiftseg.core import UsageError

MODEL_HELP = "Model name, exported file, checkpoint, or run."

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="onnxruntime, openvino, tensorrt, auto, torch.",
        show_default="onnxruntime; torch for checkpoints",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option("--precision", help="f32, bf16, fp16, or auto with --calibration."),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="DIR",
        help="Images or labeled data for --precision auto.",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu, cuda, tensorrt, coreml, dml, qnn, gpu, npu.",
        show_default="cpu; for torch a GPU",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", help="Threads for one frame.", show_default="one per physical core"),
]
FitOption = Annotated[
    str,
    typer.Option("--fit", help="stretch, letterbox, tile, native, or auto."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="HxW",
        help="Input size, height x width, such as 360x480.",
        show_default="the model's",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Models that Ray runs in parallel.", show_default="no Ray"
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Ray cluster: auto, HOST:PORT, ray://HOST:PORT.",
        show_default="Ray on this machine",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a recipe value: optimizer.lr=0.02."),
]
HoldOutOption = Annotated[
    str | None,
    typer.Option(
        "--hold-out", metavar="GROUP", help="Hold out this group of frames and score on it."
    ),
]
DataOption = Annotated[
    str, typer.Option("--data", help="Folder of the labeled data, or toystreet.")
]
SplitOption = Annotated[str, typer.Option("--split", help="Split to score.")]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="Reader and class set.", show_default="detected from the folder"
    ),
]
ProtocolOption = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="native, or a paper's: enet, segfast, shelfnet.",
        show_default="native, in the form that fits the model",
    ),
]
ScalesOption = Annotated[
    str | None,
    typer.Option(
        "--scales",
        metavar="S,S,...",
        help="Average over scales, such as 0.75,1.0,1.25.",
    ),
]
FlipOption = Annotated[bool, typer.Option("--flip", help="Also average over mirror images.")]
SlidingOption = Annotated[
    bool, typer.Option("--sliding", help="Slide windows of the input size over frames.")
]
CalibrationErrorOption = Annotated[
    bool, typer.Option("--calibration-error", help="Also compute the expected calibration error.")
]


def parse_size(size: str | None, option: str = "--size") -> tuple[int, int] | None:
    """Return a size such as 360x480 as (height, width); None stays None."""
    if size is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if match is None:
        raise UsageError(f"expected {option} as HEIGHTxWIDTH, such as 360x480, got {size!r}")
    return int(match[1]), int(match[2])


def parse_scales(text: str) -> tuple[float, ...]:
    """Read scales such as 0.5,1.0,1.5; raise UsageError for what is no number."""
    try:
        return tuple(float(scale) for scale in text.split(","))
    except ValueError as error:
        raise UsageError(f"--scales {text}: expected numbers such as 0.5,1.0,1.5") from error


def parse_memory(text: str | None) -> int | None:
    """Return a size such as 500MB or 1.5GB in bytes; None stays None."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(B|KB|MB|GB)", text.strip().upper())
    if match is None:
        raise UsageError(f"expected --max-memory such as 500MB or 1.5GB, got {text!r}")
    return int(float(match[1]) * 1000 ** ("B", "KB", "MB", "GB").index(match[2]))
