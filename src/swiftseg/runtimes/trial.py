"""How fast an engine runs a file on this machine. Every trial is a process of its own.

Two engines in one process disturb each other: the threads of one still spin while the other runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.fresh_process import run_in_process
from swiftseg.runtimes import load_backend
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.file_backend import FileBackend

ROUNDS = 3
SHORTEST_S = 0.3  # of timed runs in one process
FEWEST_RUNS = 5


@dataclass(frozen=True)
class Trial:
    """One way to run a file.

    Attributes:
        threads: Threads for one frame; None takes one per physical core.
    """

    path: str
    backend: str = "onnxruntime"
    precision: str = "f32"
    threads: int | None = None

    def load(self) -> FileBackend:
        """Load the file; raises as `load_backend` does."""
        return load_backend(
            Path(self.path), name=self.backend, precision=self.precision, threads=self.threads
        )


def compare_ms(trials: Sequence[Trial]) -> list[float]:
    """Return the milliseconds a frame of each trial: the median of `ROUNDS` processes' medians.

    The trials take turns, each run in a new process.

    Raises:
        SwiftsegError: A process failed; the message is its last line.
    """
    rounds = [[_in_process(trial) for trial in trials] for _ in range(ROUNDS)]
    return [median(times) for times in zip(*rounds, strict=True)]


def time_ms(path: str, backend: str, precision: str, threads: int | None) -> float:
    """Return the median milliseconds of one frame in this process, after a first run."""
    loaded = Trial(path, backend, precision, threads).load()
    spec = loaded.spec.input
    shape = (1, *spec.size_hw, spec.bands)
    frame = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8).astype(spec.dtype)
    labels_of(loaded, frame)
    times: list[float] = []
    while len(times) < FEWEST_RUNS or sum(times) < SHORTEST_S:
        begin = perf_counter()
        labels_of(loaded, frame)
        times.append(perf_counter() - begin)
    return 1000 * median(times)


def _in_process(trial: Trial) -> float:
    try:
        return run_in_process(time_ms, **asdict(trial))
    except SwiftsegError as error:
        raise SwiftsegError(
            f"{trial.path} on {trial.backend}: the trial failed: {error}"
        ) from error
