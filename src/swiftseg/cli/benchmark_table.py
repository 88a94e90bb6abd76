"""Benchmarks as tables on the terminal."""

from collections.abc import Sequence

from rich.table import Table

from swiftseg.benchmarking.benchmark_report import Measurement, Spread, milliseconds


def latency_table(measurements: Sequence[Measurement]) -> Table:
    """List the times of one frame, and frames a second by streams."""
    scopes = " and ".join(dict.fromkeys(measurement.scope for measurement in measurements))
    table = Table(title=f"One frame, {scopes}", title_justify="left")
    _model_columns(table)
    numbers = ["p50 ms", "p95", "p99"]
    streams = sorted({part.streams for one in measurements for part in one.throughput})
    numbers += [f"fps,\n{_plural(count, 'stream')}" for count in streams]
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    for one in measurements:
        fps = {part.streams: f"{part.fps:.1f}" for part in one.throughput}
        table.add_row(
            *_model_cells(one), *_times(one.total_ms), *(fps.get(count, "") for count in streams)
        )
    return table


def stage_table(measurements: Sequence[Measurement]) -> Table:
    """List the times of every stage."""
    table = Table(title="By stage", title_justify="left")
    _model_columns(table)
    table.add_column("stage")
    for number in ("p50 ms", "p95", "p99"):
        table.add_column(number, justify="right", no_wrap=True)
    for one in measurements:
        cells = _model_cells(one)
        for stage, spread in one.stages_ms.items():
            table.add_row(*cells, stage, *_times(spread))
            cells = [""] * len(cells)
        table.add_section()
    return table


def cost_table(measurements: Sequence[Measurement]) -> Table:
    """List what else a model takes: a start, memory, arithmetic, bytes."""
    table = Table(title="Costs", title_justify="left")
    _model_columns(table, with_size=False)
    for number in ("start-up\nms", "peak\nMB", "parameters", "GMACs", "file\nMB"):
        table.add_column(number, justify="right", no_wrap=True)
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


def _model_columns(table: Table, *, with_size: bool = True) -> None:
    for name in ("model", "engine", "size") if with_size else ("model", "engine"):
        table.add_column(name, no_wrap=name != "model", overflow="fold")


def _model_cells(measurement: Measurement) -> list[str]:
    engine = f"{measurement.way} {measurement.precision}"
    return [measurement.name, engine, "{}x{}".format(*measurement.size_hw)]


def _times(spread: Spread) -> list[str]:
    return [milliseconds(value) for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms)]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count > 1 else "")
