"""Reports as Markdown tables."""

from collections.abc import Iterable, Sequence

from speed_report import Goal, Ratio, SpeedReport

from swiftseg.benchmarking.benchmark_report import Measurement, Spread, milliseconds
from swiftseg.benchmarking.machine import Machine


def report_markdown(report: SpeedReport) -> str:
    """Writes a whole report: what it ran on, goals, ratios and measurements, and its notes."""
    parts = [f"## {report.title}", f"`{report.command}`", machine_line(report)]
    if report.machine.warning:
        parts.append(f"**Measured while {report.machine.warning}.**")
    if report.goals:
        parts.append(goal_table(report.goals))
    if report.ratios:
        parts.append(ratio_table(report.ratios))
    if report.measurements:
        parts.append(measurement_table(report.measurements))
    if report.notes:
        parts.append("\n".join(f"- {note}" for note in report.notes))
    return "\n\n".join(parts) + "\n"


def machine_line(report: SpeedReport) -> str:
    """Tells the machine and how was measured, in one paragraph."""
    machine, settings = report.machine, report.settings
    threads = sorted({measurement.threads for measurement in report.measurements})
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    memory = "" if machine.memory_gb is None else f", {machine.memory_gb:.0f} GB"
    told = f"; threads: {_joined(threads)}" if threads else ""
    return (
        f"{_cpu(machine)}{memory}{told}; batch: {settings.batch}; processes each, taking turns: "
        f"{settings.passes}, of {settings.seconds:g} s. {machine.system}, Python {machine.python}, "
        f"{versions}."
    )


def measurement_table(measurements: Sequence[Measurement]) -> str:
    """Lists medians and tails, and what else was measured."""
    rows = [
        [
            f"`{one.name}`",
            one.way,
            one.precision,
            "{}x{}".format(*one.size_hw),
            one.scope,
            milliseconds(one.total_ms.p50_ms),
            milliseconds(one.total_ms.p95_ms),
            milliseconds(one.total_ms.p99_ms),
            _stages(one.stages_ms),
            "" if one.peak_mb is None else f"{one.peak_mb:.0f}",
            one.weights,
        ]
        for one in measurements
    ]
    head = "name|way|precision|size (HxW)|from, to|p50 ms|p95|p99|stages, p50 ms|peak MB|weights"
    return table(head.split("|"), rows, numbers=(5, 6, 7, 9))


def ratio_table(ratios: Sequence[Ratio]) -> str:
    """Lists quotients beside those of the papers."""
    rows = [
        [
            one.what,
            f"{one.measured:.2f}",
            "" if one.published is None else f"{one.published:.2f}",
            one.source,
        ]
        for one in ratios
    ]
    return table(["ratio", "here", "paper", "the paper's"], rows, numbers=(1, 2))


def goal_table(goals: Sequence[Goal]) -> str:
    """Lists what should be reached, what was, and the verdict."""
    rows = [
        [
            one.what,
            _with_unit(one.must, one.unit),
            _with_unit(one.goal, one.unit),
            "" if one.measured is None else _with_unit(one.measured, one.unit),
            one.verdict,
            one.note,
        ]
        for one in goals
    ]
    return table(["what", "must", "goal", "measured", "verdict", "note"], rows, numbers=(1, 2, 3))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int]) -> str:
    """Makes a Markdown table whose columns `numbers` are set to the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _stages(stages_ms: dict[str, Spread]) -> str:
    return ", ".join(f"{name} {milliseconds(spread.p50_ms)}" for name, spread in stages_ms.items())


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}"


def _cpu(machine: Machine) -> str:
    sets = " ".join(machine.instruction_sets)
    return f"{machine.cpu}, cores: {machine.cores}" + (f" ({sets})" if sets else "")


def _joined(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
