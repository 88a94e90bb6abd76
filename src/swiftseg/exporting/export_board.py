"""A network as a folder for the runtime of a board, if it answers as torch does."""

import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from torch import nn

from swiftseg.core import ModelSpec, SwiftsegError, UsageError, unknown_name
from swiftseg.exporting.checked_export import drawn_frames
from swiftseg.exporting.formats import FORMATS, find_write
from swiftseg.exporting.formats.score_graph import score_graph
from swiftseg.exporting.onnx_file import package_versions
from swiftseg.runtimes.base import equal_labels
from swiftseg.runtimes.board_backend import BOARD_ENGINES, BoardBackend
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
        equal_labels: Share of pixels with torch's label, 0..1; None without frames.
    """

    format: str
    precision: str
    frames: int
    equal_labels: float | None


def export_board(
    network: nn.Module,
    spec: ModelSpec,
    folder: Path,
    *,
    format_name: str,
    precision: str = "f32",
    frames: Iterable[np.ndarray] | None = None,
) -> BoardParity:
    """Write a network for the runtime of a board and compare the two on the same frames.

    The folder appears only when the format's own runtime gives torch's labels. It takes the place
    of an older export; see `swiftseg.runtimes.board_folder` for what is in it.

    Args:
        network: Maps float32 (N, 3, H, W) to logits (N, C, H, W); switched to eval mode.
        spec: Describes it; `spec.input.size_hw` becomes the only input size.
        folder: Where it goes.
        format_name: One of `FORMATS`.
        precision: One of that format's.
        frames: uint8 (*size_hw, 3), RGB, to compare on; None takes drawn street scenes.

    Raises:
        UsageError: There is no such format or precision, or the path is of something else.
        MissingExtraError: The format's package is not installed.
        SwiftsegError: The format lacks an operator, the labels are others than torch's, or the
            folder cannot be written.
    """
    if format_name not in FORMATS:
        raise unknown_name("format", format_name, ["onnx", *FORMATS])
    if precision not in FORMATS[format_name].precisions:
        known = FORMATS[format_name].precisions
        raise unknown_name(f"precision of {format_name}", precision, known)
    if not spec.input.is_rgb:
        raise UsageError(
            f"--format {format_name} is for 8-bit RGB, and {spec.name} takes "
            f"{spec.input.described}; export it as .onnx"
        )
    write = find_write(format_name)
    graph = score_graph(network.eval(), spec.input)
    with _replacing_folder(folder) as temporary:
        try:
            names = write(graph, temporary, precision)
        except Exception as error:  # the converters' errors share no base class of their own
            reason = str(error).strip().partition("\n")[0]
            raise SwiftsegError(
                f"{folder} not written: {spec.network}: {format_name} cannot be made: {reason}"
            ) from error
        package = FORMATS[format_name].package
        [upsampling] = [name for name, way in UPSAMPLINGS.items() if way is graph.align_corners]
        files = sorted(path for path in temporary.rglob("*") if path.is_file())
        BoardModel(
            format=format_name,
            precision=precision,
            runtime={package: version(package)},
            files={path.relative_to(temporary).as_posix(): digest_of(path) for path in files},
            input=names[0],
            output=names[1],
            upsampling=upsampling,
            spec=replace(spec, output="logits", versions=package_versions()),
        ).write(temporary)
        if format_name not in BOARD_ENGINES:
            return BoardParity(format_name, precision, 0, None)
        compared = list(drawn_frames(spec.input) if frames is None else frames)
        if not compared:
            raise SwiftsegError("no frames to compare on")
        backend = BoardBackend(temporary)
        equal = equal_labels(TorchBackend(network, spec), backend, compared)
        least = MIN_EQUAL_LABELS[precision]
        if equal < least:
            raise SwiftsegError(
                f"{folder} not written: on {len(compared)} frames {format_name} in {precision} "
                f"gives {equal:.4%} of torch's labels (at least {least:.2%})"
            )
    return BoardParity(*backend.engine[:2], len(compared), equal)


@contextmanager
def _replacing_folder(folder: Path) -> Generator[Path]:
    """Yield an empty folder that takes the name of `folder` when the block ends well.

    Raises:
        UsageError: There is something at `folder` that was not exported.
        SwiftsegError: It cannot be written.
    """
    if folder.exists() and not is_board_folder(folder):
        raise UsageError(f"{folder} is there and holds no exported model; name a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise SwiftsegError(f"cannot write {folder}: {error.strerror}") from error
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    except OSError as error:
        raise SwiftsegError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
