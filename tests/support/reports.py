"""Benchmark reports with numbers made up."""

from benchmarks.speed_report import Goal, Ratio, SpeedReport
from swiftseg.benchmarking.benchmark_report import Conditions, Measurement, Spread, Throughput
from swiftseg.benchmarking.machine import Machine


def machine(busy_cpus: float = 0.0) -> Machine:
    return Machine(
        cpu="Test CPU",
        cpus=2,
        cores=2,
        instruction_sets=["avx2", "fma"],
        memory_gb=16.0,
        system="Linux",
        python="3.12",
        versions={"numpy": "2.0"},
        busy_cpus=busy_cpus,
    )


def measurement(name: str = "enet", way: str = "onnxruntime", total_ms: float = 4.0) -> Measurement:
    stages = {"read": 1.0, "network": total_ms, "color": 0.5}
    return Measurement(
        name=name,
        way=way,
        size_hw=(360, 640),
        num_classes=19,
        threads=2,
        scope="frame to labels",
        total_ms=Spread.of([[total_ms, total_ms]]),
        stages_ms={stage: Spread.of([[value]]) for stage, value in stages.items()},
        throughput=[Throughput(streams=1, fps=250.0)],
        startup_ms=Spread.of([[300.0]]),
        peak_mb=120.0,
        parameters=364_647,
        gmacs=1.7,
        file_bytes=1_500_000,
    )


def report(busy_cpus: float = 0.0) -> SpeedReport:
    goals = [
        Goal(what="speed", unit="times", higher_is_better=True, must=2, goal=4, measured=3.0),
        Goal(what="start", unit="s", higher_is_better=False, must=1, goal=0.5, measured=0.4),
        Goal(what="video", unit="%", higher_is_better=True, must=85, goal=95, measured=None),
    ]
    return SpeedReport(
        title="A report",
        command="python benchmarks/one.py",
        machine=machine(busy_cpus),
        settings=Conditions(seconds=1.0, passes=1),
        measurements=[measurement(), measurement("segnet", total_ms=80.0)],
        ratios=[Ratio(what="SegNet / ENet", measured=20.0, published=9.9, source="Table 2")],
        goals=goals,
        notes=["A note."],
    )
