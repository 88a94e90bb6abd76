"""Benchmarks as tables on the terminal."""

from collections.abc import Sequence

from rich.table import Table

from swiftseg.benchmarking.benchmark_report import Measurement, Spread, milliseconds
from swiftseg.cli.plain_output import new_table

TIMES = ("p50 ms", "p95", "p99")


def latency_table(measurements: Sequence[Measurement]) -> Table:
    """List the times of one frame, and frames a second by streams."""
    scopes = " and ".join(dict.fromkeys(measurement.scope for measurement in measurements))
    streams = sorted({part.streams for one in measurements for part in one.throughput})
    rates = [f"fps,\n{count} stream{'s' * (count > 1)}" for count in streams]
    table = _model_table(f"One frame, {scopes}", "size", numbers=(*TIMES, *rates))
    for one in measurements:
        fps = {part.streams: f"{part.fps:.1f}" for part in one.throughput}
        table.add_row(
            *_model_cells(one), *_times(one.total_ms), *(fps.get(count, "") for count in streams)
        )
    return table


def stage_table(measurements: Sequence[Measurement]) -> Table:
    """List the times of every stage."""
    table = _model_table("By stage", "size", "stage", numbers=TIMES)
    for one in measurements:
        cells = _model_cells(one)
        for stage, spread in one.stages_ms.items():
            table.add_row(*cells, stage, *_times(spread))
            cells = [""] * len(cells)
        table.add_section()
    return table


def cost_table(measurements: Sequence[Measurement]) -> Table:
    """List what else a model takes: a start, memory, arithmetic, bytes."""
    numbers = ("start-up\nms", "peak\nMB", "parameters", "GMACs", "file\nMB")
    table = _model_table("Costs", numbers=numbers)
    for one in measurements:
        table.add_row(
            *_model_cells(one)[:2],
            "" if one.startup_ms is None else f"{one.startup_ms.p50_ms:.0f}",
            "" if one.peak_mb is None else f"{one.peak_mb:.0f}",
            "" if one.parameters is None else f"{one.parameters:,}",
            "" if one.gmacs is None else f"{one.gmacs:.2f}",
            "" if one.file_bytes is None else f"{one.file_bytes / 1e6:.2f}",
        )
    return table


def _model_table(title: str, *columns: str, numbers: Sequence[str]) -> Table:
    table = new_table("model", "engine", *columns, *numbers, numbers=numbers, title=title)
    for column in table.columns[1:]:
        column.no_wrap = True
    return table


def _model_cells(measurement: Measurement) -> list[str]:
    engine = f"{measurement.way} {measurement.precision}"
    return [measurement.name, engine, "{}x{}".format(*measurement.size_hw)]


def _times(spread: Spread) -> list[str]:
    return [milliseconds(value) for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms)]
