"""From models that a user names to one report."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from swiftseg.benchmarking.benchmark_report import Conditions, Report
from swiftseg.benchmarking.candidates import (
    existing_ways,
    frame_candidates,
    training_candidates,
)
from swiftseg.benchmarking.machine import Machine, describe_machine
from swiftseg.benchmarking.measure import count_jobs, measure_candidates
from swiftseg.core import UsageError
from swiftseg.core.progress import LateProgress
from swiftseg.runtimes.cores import check_threads

PASSES = 3


def benchmark(
    models: Sequence[str] | str,
    *,
    size_hw: tuple[int, int] | None = None,
    backends: Sequence[str] = ("onnxruntime",),
    precisions: Sequence[str] = ("f32",),
    calibration: Path | None = None,
    training: bool = False,
    threads: int | None = None,
    device: str | None = None,
    seconds: float = 2.0,
    on_machine: Callable[[Machine], None] | None = None,
) -> Report:
    """Measure how fast models are on this machine, with a progress bar on a terminal.

    Latency from frame to labels and by stage, frames a second with several frames in flight,
    start-up time and memory. Each engine runs in processes of its own, which take turns.

    Args:
        models: What `Segmenter.load` takes, or names of networks, which get random weights.
        size_hw: The frames' size (height, width); None takes each model's. Networks and
            checkpoints are exported at it.
        backends: Engines, `auto`, and for networks and checkpoints the names of `TORCH_WAYS`.
        precisions: Tried with each of the backends that has them.
        calibration: The folder that the precision `auto` is judged on.
        training: Measure forward and backward passes of networks and checkpoints instead.
        threads: Threads for one frame; None takes one per physical core.
        device: What engines compute on, such as `cuda`; None is the CPU.
        seconds: How long each measurement goes on in each of its processes.
        on_machine: Is handed the machine before anything is measured.

    Raises:
        UsageError: A name or value does not exist.
        MissingExtraError: A network or checkpoint is asked for, and torch is not installed.
        SwiftsegError: A model cannot be read or run.
    """
    names = [models] if isinstance(models, str) else list(models)
    if seconds <= 0:
        raise UsageError(f"expected --seconds above 0, got {seconds:g}")
    check_threads(threads)
    machine = describe_machine()
    if on_machine is not None:
        on_machine(machine)
    count = threads or machine.cores
    settings = Conditions(seconds=seconds, passes=PASSES)
    with (
        tempfile.TemporaryDirectory(prefix="swiftseg-") as folder,
        LateProgress("measuring") as progress,
    ):
        if training:
            candidates = training_candidates(names, size_hw)
        else:
            ways, _ = existing_ways(backends, precisions)
            candidates = frame_candidates(
                names, size_hw, ways, count, Path(folder), calibration, device
            )
        progress.expect(count_jobs(candidates, settings))
        measurements = measure_candidates(
            candidates, threads=count, settings=settings, on_run=lambda _: progress.advance()
        )
    return Report(
        title=f"swiftseg benchmark {' '.join(names)}",
        command=" ".join(["swiftseg", *sys.argv[1:]]),
        machine=machine,
        settings=settings,
        measurements=measurements,
    )
