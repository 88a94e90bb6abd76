"""Latencies as a picture: one bar a measurement, its stages side by side, as SVG."""

from collections.abc import Sequence
from itertools import cycle

from swiftseg.benchmarking.benchmark_report import Measurement, milliseconds
from swiftseg.core.templates import render
from swiftseg.evaluation.report.charts import ticks

_LONGEST_BAR = 560
_CHARACTER = 7.2  # wider than most at this size
# Okabe and Ito's colors, which color-blind readers tell apart.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")


def plot(measurements: Sequence[Measurement], title: str) -> str:
    """Return the medians as stacked bars in an SVG, milliseconds to the right."""
    bars = [(_label(measurement), _parts(measurement)) for measurement in measurements]
    stages = dict.fromkeys(stage for _, parts in bars for stage in parts)
    longest_ms = max(sum(parts.values()) for _, parts in bars)
    return render(
        "benchmarking/plot.svg",
        title=title,
        bars=bars,
        colors=dict(zip(stages, cycle(_COLORS), strict=False)),
        ticks=ticks(0, longest_ms, 6),
        left=26 + _CHARACTER * max(len(label) for label, _ in bars),
        length=_LONGEST_BAR,
        scale=_LONGEST_BAR / longest_ms,
        milliseconds=milliseconds,
    )


def _parts(measurement: Measurement) -> dict[str, float]:
    stages = {name: spread.p50_ms for name, spread in measurement.stages_ms.items()}
    return stages or {measurement.scope: measurement.total_ms.p50_ms}


def _label(measurement: Measurement) -> str:
    size = "{}x{}".format(*measurement.size_hw)
    return f"{measurement.name}, {measurement.way} {measurement.precision}, {size}"
