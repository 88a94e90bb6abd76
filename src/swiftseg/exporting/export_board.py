"""A network as a folder for the runtime of a board, if it answers as torch does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from torch import nn

from swiftseg.core import ModelSpec, SwiftsegError, UsageError, unknown_name
from swiftseg.core.files import replacing_folder
from swiftseg.exporting.budget import check_max_drop, measure_against, measure_name
from swiftseg.exporting.checked_export import drawn_frames
from swiftseg.exporting.formats import FORMATS, find_write
from swiftseg.exporting.formats.score_graph import ScoreGraph, score_graph
from swiftseg.exporting.onnx_file import package_versions
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.runtimes import Backend
from swiftseg.runtimes.base import equal_labels
from swiftseg.runtimes.board_backend import BOARD_ENGINES, STAND_INS, BoardBackend
from swiftseg.runtimes.board_folder import (
    UPSAMPLINGS,
    BoardModel,
    digest_of,
    is_board_folder,
)
from swiftseg.runtimes.torch_backend import TorchBackend

# Labels that have to equal torch's. Rounding in float32 turns those of near ties; weights rounded
# to float16 turn more.
MIN_EQUAL_LABELS = {"f32": 0.9999, "fp16": 0.995}


@dataclass(frozen=True)
class BoardParity:
    """An exported folder against the network it came from.

    Attributes:
        precision: What its weights are stored in.
        frames: How many frames both were run on; 0 where the format runs on its own devices only,
            and that its converter took every operator is all that is known.
        equal_labels: Share of pixels with torch's label, 0..1; None without frames and for int8.
        ran_in: What ran it; another runtime than the format's where that one is elsewhere.
        measure: For int8, what was measured, as `swiftseg.exporting.budget.measure_name` says.
        before: That measure of the network in float32, in percent.
        after: That of the folder.
    """

    format: str
    precision: str
    frames: int
    equal_labels: float | None = None
    ran_in: str = ""
    measure: str = ""
    before: float = 0.0
    after: float = 0.0


def export_board(
    network: nn.Module,
    spec: ModelSpec,
    folder: Path,
    *,
    format_name: str,
    precision: str = "f32",
    frames: Iterable[np.ndarray] | None = None,
    calibration: Calibration | None = None,
    max_drop: float = 0.5,
) -> BoardParity:
    """Write a network for the runtime of a board and compare the two on the same frames.

    The folder appears only when the format's own runtime gives torch's labels; in int8 only when
    it loses no more than `max_drop`. It takes the place of an older export; see
    `swiftseg.runtimes.board_folder` for what is in it.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W); switched to eval mode.
        spec: Describes it; `spec.input.size_hw` becomes the only input size.
        folder: Where it goes.
        format_name: One of `FORMATS`.
        precision: One of that format's.
        frames: uint8 (*size_hw, 3), RGB, to compare on; None takes drawn street scenes.
        calibration: For int8, what ranges are taken from, and what is measured on.
        max_drop: For int8, the points of percent that the measure may lose.

    Raises:
        UsageError: There is no such format or precision, int8 has no frames or another precision
            has, or the path is of something else.
        MissingExtraError: The format's package is not installed.
        SwiftsegError: The format lacks an operator, the labels are others than torch's, or the
            folder cannot be written.
    """
    _check(format_name, precision, spec, calibration, max_drop)
    write = find_write(format_name)
    graph = score_graph(network.eval(), spec.input)
    if folder.exists() and not is_board_folder(folder):
        raise UsageError(f"{folder} is there and holds no exported model; name a new folder")
    with replacing_folder(folder) as temporary:
        try:
            names = write(graph, temporary, precision, _images(calibration))
        except Exception as error:  # the converters' errors share no base class of their own
            reason = str(error).strip().partition("\n")[0]
            raise SwiftsegError(
                f"{folder} not written: {spec.network}: {format_name} cannot be made: {reason}"
            ) from error
        _describe(temporary, format_name, precision, names, graph, spec)
        if format_name not in {**BOARD_ENGINES, **STAND_INS}:
            return BoardParity(format_name, precision, 0)
        reference = TorchBackend(network, spec)
        backend = BoardBackend(temporary, by_stand_in=True)
        if calibration is not None:
            return _within_budget(folder, reference, backend, calibration, max_drop)
        compared = list(drawn_frames(spec.input) if frames is None else frames)
        return _with_torchs_labels(folder, reference, backend, compared)


def check_format(name: str, precision: str) -> None:
    """Raise UsageError for a format that does not exist, or lacks a precision."""
    if name not in FORMATS:
        raise unknown_name("format", name, ["onnx", *FORMATS])
    if precision not in FORMATS[name].precisions:
        raise unknown_name(f"precision of {name}", precision, FORMATS[name].precisions)


def _check(
    format_name: str,
    precision: str,
    spec: ModelSpec,
    calibration: Calibration | None,
    max_drop: float,
) -> None:
    """Raise UsageError for what does not exist or go together."""
    check_format(format_name, precision)
    if (precision == "int8") != (calibration is not None):
        raise UsageError("int8 takes calibration frames, and nothing else does")
    check_max_drop(max_drop)
    if not spec.input.is_rgb:
        raise UsageError(
            f"--format {format_name} is for 8-bit RGB, and {spec.name} takes "
            f"{spec.input.described}; export it as .onnx"
        )


def _images(calibration: Calibration | None) -> list[np.ndarray]:
    """Return frames as a graph takes them, float32 (1, 3, H, W)."""
    frames = () if calibration is None else calibration.frames
    return [
        np.ascontiguousarray(frame.transpose(2, 0, 1)[None], dtype=np.float32) for frame in frames
    ]


def _describe(
    folder: Path,
    format_name: str,
    precision: str,
    names: tuple[str, str],
    graph: ScoreGraph,
    spec: ModelSpec,
) -> None:
    """Write what a folder holds into it."""
    package = FORMATS[format_name].package
    [upsampling] = [name for name, way in UPSAMPLINGS.items() if way is graph.align_corners]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    BoardModel(
        format=format_name,
        precision=precision,
        runtime={package: version(package)},
        files={path.relative_to(folder).as_posix(): digest_of(path) for path in files},
        input=names[0],
        output=names[1],
        upsampling=upsampling,
        spec=replace(spec, output="logits", versions=package_versions()),
    ).write(folder)


def _with_torchs_labels(
    folder: Path, reference: Backend, backend: BoardBackend, frames: Sequence[np.ndarray]
) -> BoardParity:
    """Compare labels; raise SwiftsegError where too few are equal."""
    if not frames:
        raise SwiftsegError("no frames to compare on")
    name, precision, _ = backend.engine
    equal = equal_labels(reference, backend, frames)
    least = MIN_EQUAL_LABELS[precision]
    if equal < least:
        raise SwiftsegError(
            f"{folder} not written: on {len(frames)} frames {name} in {precision} "
            f"gives {equal:.4%} of torch's labels (at least {least:.2%})"
        )
    return BoardParity(name, precision, len(frames), equal, ran_in=backend.ran_in)


def _within_budget(
    folder: Path,
    reference: Backend,
    backend: BoardBackend,
    seen: Calibration,
    max_drop: float,
) -> BoardParity:
    """Measure what int8 costs; raise SwiftsegError where it is more than `max_drop`."""
    measure = measure_against(reference, seen)
    before, after = measure(reference), measure(backend)
    name, precision, _ = backend.engine
    if after < before - max_drop:
        raise SwiftsegError(
            f"{folder} not written: in int8 the measure falls from {before:.2f} % to {after:.2f} % "
            f"in {backend.ran_in}, and --max-drop allows {before - max_drop:.2f} %"
        )
    return BoardParity(
        name,
        precision,
        len(seen.frames),
        ran_in=backend.ran_in,
        measure=measure_name(seen),
        before=before,
        after=after,
    )
