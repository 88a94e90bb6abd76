"""A folder that was exported for a board, in the format's own runtime."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np

from swiftseg.core import SwiftsegError, UsageError, unknown_name
from swiftseg.runtimes.array_scores import ArrayScores
from swiftseg.runtimes.base import Engine, refuse_other_size
from swiftseg.runtimes.board_folder import UPSAMPLINGS, BoardModel, read_board_folder
from swiftseg.runtimes.cores import check_threads, physical_cores

RunScores = Callable[[np.ndarray], np.ndarray]


class LoadScores(Protocol):
    """What a runtime's module offers.

    It takes an exported folder, its description and the number of threads, and returns a function
    from an image float32 (1, 3, H, W), RGB in 0..255, to scores float32 (1, C, h, w). It raises
    SwiftsegError, without the folder's name, where the runtime cannot load the files.
    """

    def __call__(self, folder: Path, model: BoardModel, *, threads: int) -> RunScores: ...


# The modules here that run the formats, each imported when it is asked for.
BOARD_ENGINES: Mapping[str, str] = {
    "executorch": "executorch_engine",
    "litert": "litert_engine",
    "ncnn": "ncnn_engine",
    "openvino": "openvino_ir_engine",
}

# What runs a format's graph where its own runtime does not: an export is compared by it.
STAND_INS: Mapping[str, str] = {"tensorrt": "onnx_scores_engine"}


class BoardBackend:
    """Runs an exported folder; see `swiftseg.runtimes.base.Backend`.

    Frames are run one by one, since the files take one, and by one thread at a time.

    Args:
        folder: The exported folder.
        threads: Threads for one frame; None takes one per physical core.
        by_stand_in: Whether one of `STAND_INS` may run it.

    Attributes:
        ran_in: The runtime's name, another than the format's for a stand-in.

    Raises:
        UsageError: The format runs on its own devices only, or there are fewer CPUs than threads.
        MissingExtraError: The runtime is not installed.
        SwiftsegError: The folder is damaged, or the runtime cannot load it.
    """

    any_size = False

    def __init__(
        self, folder: Path, *, threads: int | None = None, by_stand_in: bool = False
    ) -> None:
        check_threads(threads)
        model = read_board_folder(folder)
        engines = {**BOARD_ENGINES, **STAND_INS} if by_stand_in else BOARD_ENGINES
        if model.format not in engines:
            known = ", ".join(BOARD_ENGINES)
            raise UsageError(f"{folder}: {model.format} does not run here; these do: {known}")
        self.engine = Engine(model.format, model.precision)
        self.ran_in = "onnxruntime" if model.format in STAND_INS else model.format
        self.spec = model.spec
        self._folder = folder
        self._align_corners = UPSAMPLINGS[model.upsampling]
        self._lock = Lock()
        engine = import_module(f"swiftseg.runtimes.{engines[model.format]}")
        load_scores: LoadScores = engine.load_scores
        try:
            self._run = load_scores(folder, model, threads=threads or physical_cores())
        except SwiftsegError as error:
            raise SwiftsegError(f"{folder}: {error}") from error

    @contextmanager
    def running(self, batch: np.ndarray) -> Generator[ArrayScores]:
        """Run frames uint8 (N, H, W, 3) of the spec's size; see `Backend`.

        Raises:
            SwiftsegError: The graph gives another number of classes than the description names.
        """
        images = np.ascontiguousarray(batch.transpose(0, 3, 1, 2), dtype=np.float32)
        with self._lock:
            values = np.concatenate([self._run(image[None]) for image in images])
        if values.shape[1] != len(self.spec.labels):
            raise SwiftsegError(
                f"{self._folder}: the graph gives {values.shape[1]} classes and its description "
                f"names {len(self.spec.labels)}; export the model again"
            )
        yield ArrayScores(values, self.spec.input.size_hw, "logits", self._align_corners)

    def at_size(self, size_hw: tuple[int, int]) -> "BoardBackend":
        """Return this backend, for the only size it runs at; see `Backend`."""
        refuse_other_size(self.spec, size_hw)
        return self


def load_board(
    folder: Path, *, backend: str | None = None, threads: int | None = None
) -> BoardBackend:
    """Load an exported folder into the runtime it was exported for.

    Raises:
        UsageError: The folder is for another runtime; and what `BoardBackend` raises.
        SwiftsegError: As `BoardBackend` raises it.
    """
    loaded = BoardBackend(folder, threads=threads)
    if backend not in (None, "auto", loaded.engine.backend):
        if backend not in BOARD_ENGINES:
            raise unknown_name(f"backend for {folder}", str(backend), [loaded.engine.backend])
        raise UsageError(
            f"{folder} is exported for {loaded.engine.backend}; export the model again with "
            f"--format {backend}"
        )
    return loaded
