"""How fast does an engine run a file on this machine? Every trial is a process of its own.

Two engines in one process disturb each other: the threads of one still spin while the other runs.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

import numpy as np

from swiftseg.core import SwiftsegError

ROUNDS = 3
SHORTEST_S = 0.3  # of timed runs in one process
FEWEST_RUNS = 5

_CHILD = "from swiftseg.runtimes.trial import serve; serve()"


@dataclass(frozen=True)
class Candidate:
    """One way to run a model.

    Attributes:
        path: The exported file.
        backend: The engine, see `swiftseg.runtimes.PRECISIONS`.
        precision: What it computes in.
        threads: Threads for one frame; None takes one a physical core.
    """

    path: str
    backend: str = "onnxruntime"
    precision: str = "f32"
    threads: int | None = None


def compare_ms(candidates: Sequence[Candidate]) -> list[float]:
    """Times the candidates in turn, each run in a new process.

    Returns:
        Milliseconds a frame for each: the median of `ROUNDS` processes' medians.

    Raises:
        SwiftsegError: A process failed; the message is its last line.
    """
    rounds = [[_in_process(candidate) for candidate in candidates] for _ in range(ROUNDS)]
    return [median(times) for times in zip(*rounds, strict=True)]


def time_ms(candidate: Candidate) -> float:
    """Gives the median milliseconds of one frame in this process, after a first run."""
    from swiftseg.runtimes import load_backend

    backend = load_backend(
        candidate.path,
        name=candidate.backend,
        precision=candidate.precision,
        threads=candidate.threads,
    )
    shape = (1, *backend.spec.input.size_hw, 3)
    frame = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    backend.run(frame)
    times: list[float] = []
    while len(times) < FEWEST_RUNS or sum(times) < SHORTEST_S:
        begin = perf_counter()
        backend.run(frame)
        times.append(perf_counter() - begin)
    return 1000 * median(times)


def serve() -> None:
    """What the new process does: takes a candidate from stdin and prints its milliseconds."""
    sys.stdout.write(str(time_ms(Candidate(**json.load(sys.stdin)))))


def _in_process(candidate: Candidate) -> float:
    child = subprocess.run(
        [sys.executable, "-P", "-c", _CHILD],
        input=json.dumps(asdict(candidate)),
        capture_output=True,
        text=True,
    )
    if child.returncode:
        reason = child.stderr.strip().rpartition("\n")[2]
        raise SwiftsegError(f"{candidate.path} on {candidate.backend}: the trial failed: {reason}")
    return float(child.stdout)
