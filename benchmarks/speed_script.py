"""What the speed scripts share: their options, ways to run a network, and the end of a run.

A script reads its options, measures candidates, and finishes with the quotients that a paper has:
results/NAME.json, and Markdown on the terminal.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plain_torch
from report_markdown import report_markdown
from speed_report import SpeedReport

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.benchmark_report import Conditions, Measurement
from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.benchmarking.machine import Machine, describe_machine
from swiftseg.benchmarking.measure import (
    FRAME_TO_LABELS,
    Candidate,
    count_jobs,
    engine_candidate,
    measure_candidates,
)
from swiftseg.core.fresh_process import run_in_process
from swiftseg.core.progress import LateProgress

RESULTS = Path(__file__).parent / "results"
EAGER = "torch eager"
ENGINE = "onnxruntime"  # the engine that Segmenter.load takes by itself
TENSOR_TO_LOGITS = "tensor to logits"
RANDOM_WEIGHTS = "Random weights: the time of these networks does not depend on them."

SizeHw = tuple[int, int]


@dataclass(frozen=True)
class Options:
    """What every speed script takes.

    Attributes:
        machine: What the script runs on, looked at before it began.
        settings: How long and how often.
        threads: Threads for one frame.
        shrink: Divides heights and widths, to try a script.
        out: Where the JSON goes.
        frames: A folder of images like those that shipped weights have learned from.
    """

    machine: Machine
    settings: Conditions
    threads: int
    shrink: int
    out: Path
    frames: Path | None = None

    def size_hw(self, height: int, width: int) -> SizeHw:
        """Return the size, divided where the script is only tried."""
        return height // self.shrink, width // self.shrink


def read_options(
    description: str, *, seconds: float = 2.0, passes: int = 2, takes_frames: bool = False
) -> Options:
    """Reads the command line of a script, and warns where the machine is busy.

    The results are called by the script's name.

    Args:
        description: The script's docstring.
        seconds: The usual length of a measurement.
        passes: The usual number of processes.
        takes_frames: Whether it has the option `--frames`.
    """
    name = Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=seconds, help="of each measurement")
    parser.add_argument("--passes", type=int, default=passes, help="processes a measurement")
    parser.add_argument("--threads", type=int, default=2, help="for one frame")
    parser.add_argument("--shrink", type=int, default=1, help="divide sizes, to try the script")
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json")
    if takes_frames:
        parser.add_argument(
            "--frames", type=Path, help="images like those that weights have learned from [drawn]"
        )
    given = parser.parse_args()
    machine = describe_machine()
    if machine.warning:
        print(f"warning: {machine.warning}", file=sys.stderr)
    settings = Conditions(seconds=given.seconds, passes=given.passes)
    frames = given.frames if takes_frames else None
    return Options(machine, settings, given.threads, given.shrink, given.out, frames)


def eager_forward(name: str, size_hw: SizeHw, num_classes: int) -> Candidate:
    """A network's forward pass in plain torch, from tensor to logits."""
    arguments = {"model": name, "num_classes": num_classes}
    told = {"name": name, "way": EAGER, "size_hw": size_hw, "num_classes": num_classes}
    told["scope"] = TENSOR_TO_LOGITS
    return Candidate(plain_torch.measure_forward, arguments, told)


def eager_frames(
    name: str, size_hw: SizeHw, num_classes: int, *, channels_last: bool = False
) -> Candidate:
    """A network in plain torch, from frame to labels."""
    arguments: dict[str, Any] = {"model": name, "size_hw": size_hw, "num_classes": num_classes}
    told = {"name": name, "way": EAGER + (", channels last" if channels_last else "")}
    told |= {"size_hw": size_hw, "num_classes": num_classes, "scope": FRAME_TO_LABELS}
    arguments["channels_last"] = channels_last
    return Candidate(plain_torch.measure_eager, arguments, told)


def engine_frames(
    name: str, size_hw: SizeHw, num_classes: int, folder: Path, *, backend: str = ENGINE
) -> Candidate:
    """A network with random weights, exported, from frame to labels."""
    file = folder / f"{name}-{size_hw[0]}x{size_hw[1]}-{num_classes}.onnx"
    return engine_candidate(
        file, backend=backend, describes=exported(name, size_hw, num_classes, file)
    )


def exported(
    name: str, size_hw: SizeHw, num_classes: int, file: Path, *, output: str = "labels"
) -> dict[str, Any]:
    """Exports a network with random weights; gives what a `Measurement` says of it."""
    print(f"exporting {file.stem}", file=sys.stderr)
    facts = run_in_process(
        torch_networks.export,
        model=name,
        size_hw=size_hw,
        num_classes=num_classes,
        output=output,
        out=str(file),
    )
    costs = graph_costs(file)
    return {**facts, "gmacs": costs.gmacs, "file_bytes": costs.file_bytes}


def measure(options: Options, candidates: Sequence[Candidate]) -> list[Measurement]:
    """Measures with a progress bar."""
    with LateProgress("measuring") as progress:
        progress.expect(count_jobs(candidates, options.settings))
        return measure_candidates(
            candidates,
            threads=options.threads,
            settings=options.settings,
            on_run=lambda _: progress.advance(),
        )


def finish(title: str, options: Options, **parts: Any) -> None:
    """Writes the JSON and prints it as Markdown.

    Args:
        title: Of the report.
        options: Of the script.
        parts: The other fields of the `SpeedReport`: measurements, ratios, goals, notes.
    """
    report = SpeedReport(
        title=title,
        command=f"python benchmarks/{Path(sys.argv[0]).name}",
        machine=options.machine,
        settings=options.settings,
        **parts,
    )
    report.save(options.out)
    print(report_markdown(report))


def find(measurements: Sequence[Measurement], name: str, way: str, size_hw: SizeHw) -> Measurement:
    """Finds the one measurement of that name, way and size."""
    [found] = [
        one for one in measurements if (one.name, one.way, one.size_hw) == (name, way, size_hw)
    ]
    return found


def slower_by(slow: Measurement, fast: Measurement) -> float:
    """Return how many times the one takes longer than the other, by medians."""
    return slow.total_ms.p50_ms / fast.total_ms.p50_ms
