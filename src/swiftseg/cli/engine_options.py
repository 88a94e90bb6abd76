"""`--backend`, `--precision` and `--calibration`, alike in every command that runs a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from swiftseg.runtimes.base import Engine

DEFAULT_BACKEND = "onnxruntime"

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="The engine: onnxruntime, openvino, tensorrt, or auto for the fastest here; for "
        "checkpoints and shipped weights torch, torch-channels-last or torch-compiled, too.",
        show_default=f"{DEFAULT_BACKEND}; auto with --precision auto",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision",
        help="f32, bf16, fp16, or auto: the fastest that changes 0.5 % of the labels at most.",
    ),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="DIR",
        help="Frames of the model's proportions, or data with masks, to judge --precision auto on.",
        show_default=False,
    ),
]


def find_engine(
    path: Path,
    backend: str | None,
    precision: str,
    calibration: Path | None,
    threads: int | None = None,
) -> "Engine":
    """Turns the options into an engine that is named, by a trial where one says auto.

    Args:
        path: The exported file.
        backend: The option, or None.
        precision: The option.
        calibration: The option, or None.
        threads: As `load_backend` takes them.

    Raises:
        UsageError: `--calibration` is given without `--precision auto`, or the other way round.
        SwiftsegError: The folder is unfit, or the model cannot be run.
    """
    from swiftseg.core import UsageError
    from swiftseg.runtimes.base import Engine

    backend = backend or ("auto" if precision == "auto" else DEFAULT_BACKEND)
    if precision != "auto" and calibration is not None:
        raise UsageError(
            "--calibration is what --precision auto is judged on; add that, or drop it"
        )
    if "auto" not in (backend, precision):
        return Engine(backend, precision)

    from swiftseg.inference.calibration_frames import read_calibration
    from swiftseg.runtimes import read_spec
    from swiftseg.runtimes.selection import choose_backend

    spec = read_spec(path)
    frames = ()
    if calibration is not None:
        frames = read_calibration(calibration, spec.input.size_hw, spec.labels).frames
    return choose_backend(
        path, backend=backend, precision=precision, threads=threads, frames=frames
    )
