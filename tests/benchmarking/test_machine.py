import os

from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.benchmarking.machine import INSTRUCTION_SETS, describe_machine
from tests.support.reports import machine


def test_the_machine_is_described():
    found = describe_machine()
    assert found.cpu
    assert 1 <= found.cores <= found.cpus <= (os.cpu_count() or 1)
    assert set(found.instruction_sets) <= set(INSTRUCTION_SETS)
    assert found.versions["swiftseg"]
    assert found.busy_cpus >= 0


def test_only_a_busy_machine_warns():
    assert machine(busy_cpus=0.1).warning is None
    assert "use 1.5 processors" in (machine(busy_cpus=1.5).warning or "")


def test_the_peak_does_not_fall():
    first = peak_mb()
    assert first is None or 0 < first <= (peak_mb() or 0)
