"""`swiftseg benchmark`: how fast models are on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import (
    CalibrationOption,
    DeviceOption,
    SizeOption,
    ThreadsOption,
    parse_size,
)
from swiftseg.cli.plain_output import terminal

if TYPE_CHECKING:
    from swiftseg.benchmarking.machine import Machine


def benchmark(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="Shipped models, files, or networks (with random weights).",
            show_default=False,
        ),
    ],
    size: SizeOption = None,
    backend: Annotated[
        str, typer.Option(help="Engines, comma-separated; auto is the fastest.")
    ] = "onnxruntime",
    precision: Annotated[str, typer.Option(help="Precisions, comma-separated.")] = "f32",
    calibration: CalibrationOption = None,
    stages: Annotated[bool, typer.Option("--stages", help="Show the time of every stage.")] = False,
    training: Annotated[
        bool, typer.Option("--training", help="Measure forward and backward passes.")
    ] = False,
    threads: ThreadsOption = None,
    device: DeviceOption = None,
    seconds: Annotated[
        float, typer.Option(help="Duration of a measurement in each of 3 processes.")
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
    from swiftseg import benchmarking
    from swiftseg.benchmarking.candidates import existing_ways
    from swiftseg.benchmarking.plot import plot as bars
    from swiftseg.cli.benchmark_table import cost_table, latency_table, stage_table
    from swiftseg.core.files import check_suffix, write_file

    if plot is not None:
        check_suffix(plot, ".svg")
    if not training:
        for engine, missing in existing_ways(backend.split(","), precision.split(","))[1]:
            typer.echo(f"{engine} has no {missing}: skipped", err=True)
    report = benchmarking.benchmark(
        models,
        size_hw=parse_size(size),
        backends=backend.split(","),
        precisions=precision.split(","),
        calibration=calibration,
        training=training,
        threads=threads,
        device=device,
        seconds=seconds,
        on_machine=warn,
    )
    console = terminal()
    console.print(latency_table(report.measurements))
    if stages or training:
        console.print(stage_table(report.measurements))
    console.print(cost_table(report.measurements))
    if json_file is not None:
        report.save(json_file)
    if plot is not None:
        write_file(plot, bars(report.measurements, report.title))


def warn(machine: "Machine") -> None:
    """Say on stderr that others are at work on the machine."""
    if machine.warning:
        typer.echo(f"warning: {machine.warning}", err=True)
