"""`swiftseg benchmark`: how fast models are on this machine."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import UsageError

if TYPE_CHECKING:
    from swiftseg.benchmark.measure import Candidate
    from swiftseg.benchmark.report import Measurement, Settings

PASSES = 3


def benchmark(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Shipped models' names, exported files, checkpoints, or names of networks, which "
            "get random weights.",
            show_default=False,
        ),
    ],
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW",
            help="The frames' size [each model's]; networks and checkpoints are exported at it.",
        ),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            help="Engines, with commas between; auto for the fastest; for networks torch, too."
        ),
    ] = "onnxruntime",
    precision: Annotated[str, typer.Option(help="Precisions, with commas between.")] = "f32",
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Frames whose labels --precision auto must keep."),
    ] = None,
    stages: Annotated[bool, typer.Option("--stages", help="Show every stage's time.")] = False,
    training: Annotated[
        bool,
        typer.Option(
            "--training", help="Measure forward and backward passes of networks and checkpoints."
        ),
    ] = False,
    threads: Annotated[
        int | None, typer.Option(help="Threads for one frame.", show_default="one a physical core")
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="How long each measurement goes on in each of its 3 processes.")
    ] = 2.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all numbers as JSON.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the latencies as a picture, .svg.")
    ] = None,
) -> None:
    """Measure how fast models are on this machine.

    Latency from frame to labels and by stage, frames a second with several frames in flight,
    start-up time and memory. Each engine runs in processes of its own, which take turns, one frame
    at a time.
    """
    from swiftseg.benchmark.candidates import frame_candidates, training_candidates
    from swiftseg.benchmark.machine import describe_machine
    from swiftseg.benchmark.plot import check_plot_path, save_plot
    from swiftseg.benchmark.report import Report, Settings
    from swiftseg.cli.export import parse_size
    from swiftseg.runtimes.cores import check_threads

    size_hw = None if size is None else parse_size(size)
    if plot is not None:
        check_plot_path(plot)
    if seconds <= 0:
        raise UsageError(f"expected --seconds above 0, got {seconds:g}")
    check_threads(threads)
    machine = describe_machine()
    count = threads or machine.cores
    if machine.warning:
        typer.echo(f"warning: {machine.warning}", err=True)
    settings = Settings(seconds=seconds, passes=PASSES)
    with tempfile.TemporaryDirectory(prefix="swiftseg-") as folder:
        if training:
            candidates = training_candidates(models, size_hw)
        else:
            ways = [(b, p) for b in backend.split(",") for p in precision.split(",")]
            candidates = frame_candidates(models, size_hw, ways, count, Path(folder), calibration)
        measurements = measure(candidates, count, settings)
    report = Report(
        title=f"swiftseg benchmark {' '.join(models)}",
        command=" ".join(["swiftseg", *sys.argv[1:]]),
        machine=machine,
        settings=settings,
        measurements=measurements,
    )
    print_tables(measurements, stages=stages or training)
    if json_file is not None:
        report.save(json_file)
    if plot is not None:
        save_plot(measurements, report.title, plot)


def measure(
    candidates: "Sequence[Candidate]", threads: int, settings: "Settings"
) -> "list[Measurement]":
    """Measures with a progress bar."""
    from swiftseg.benchmark.measure import count_jobs, measure_candidates
    from swiftseg.core.progress import LateProgress

    with LateProgress("measuring") as progress:
        progress.expect(count_jobs(candidates, settings))
        return measure_candidates(
            candidates, threads=threads, settings=settings, on_run=lambda _: progress.advance()
        )


def print_tables(measurements: "Sequence[Measurement]", *, stages: bool) -> None:
    """Shows latencies, the stages where they are asked for, and costs."""
    from rich.console import Console

    from swiftseg.cli.benchmark_table import cost_table, latency_table, stage_table

    console = Console()
    console.print(latency_table(measurements))
    if stages:
        console.print(stage_table(measurements))
    console.print(cost_table(measurements))
