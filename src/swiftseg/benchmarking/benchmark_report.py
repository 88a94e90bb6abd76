"""The one format of all results; tables, plots and pages are made from it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
from pydantic import Field

from swiftseg.benchmarking.machine import Machine
from swiftseg.core.files import write_file
from swiftseg.core.schema import Section

SCHEMA_VERSION = 1


class Spread(Section):
    """How a time is distributed.

    Attributes:
        p50_ms: The median over all samples.
        p95_ms: What 95 % stay below.
        p99_ms: What 99 % stay below.
        pass_medians_ms: One median a process; they tell how far runs differ.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    samples: int
    pass_medians_ms: list[float]

    @classmethod
    def of(cls, passes: Sequence[Sequence[float]]) -> "Spread":
        """Return the spread of samples in milliseconds, given by pass."""
        samples = [sample for one in passes for sample in one]
        p50, p95, p99 = np.percentile(samples, (50, 95, 99))
        return cls(
            p50_ms=float(p50),
            p95_ms=float(p95),
            p99_ms=float(p99),
            samples=len(samples),
            pass_medians_ms=[median(one) for one in passes],
        )


class Throughput(Section):
    """Frames a second, from frame to labels, with several frames in flight.

    Attributes:
        streams: Frames in flight; they share the threads.
        fps: The median over the passes.
    """

    streams: int
    fps: float


class Measurement(Section):
    """One way to run one network.

    Attributes:
        name: The model or network.
        way: The engine, or who runs it how, such as `torch eager`.
        precision: Such as `f32`.
        weights: `random`, or what they were trained on.
        size_hw: The frame's height and width.
        num_classes: Without void.
        threads: Threads for one frame.
        scope: From what to what `total_ms` reaches, such as `frame to labels`.
        total_ms: The time of one frame.
        stages_ms: By stage, in their order; may reach further than `scope`.
        throughput: By number of streams.
        startup_ms: From the start of a process to its first label map.
        peak_mb: The most memory a process held, in 10^6 bytes.
        parameters: Trained values.
        gmacs: Multiply-accumulates of a frame, in 10^9.
        file_bytes: Of the exported file.
    """

    name: str
    way: str
    precision: str = "f32"
    weights: str = "random"
    size_hw: tuple[int, int]
    num_classes: int
    threads: int
    scope: str
    total_ms: Spread
    stages_ms: dict[str, Spread] = Field(default_factory=dict[str, Spread])
    throughput: list[Throughput] = Field(default_factory=list[Throughput])
    startup_ms: Spread | None = None
    peak_mb: float | None = None
    parameters: int | None = None
    gmacs: float | None = None
    file_bytes: int | None = None


class Conditions(Section):
    """How was measured.

    Attributes:
        seconds: The time budget of one measurement in one process.
        passes: How many processes each measurement had, taking turns with the others'.
    """

    seconds: float
    passes: int
    batch: int = 1


class Report(Section):
    """A run of measurements on one machine.

    Attributes:
        schema_version: Of this format.
        command: What repeats it.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    title: str
    command: str
    machine: Machine
    settings: Conditions
    measurements: list[Measurement]

    def save(self, path: Path) -> None:
        """Write it as JSON; raise SwiftsegError where the file cannot be written."""
        write_file(path, self.model_dump_json(indent=2) + "\n")


def milliseconds(value: float) -> str:
    """Return a time with three digits, as far as there are."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"
