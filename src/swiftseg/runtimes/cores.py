"""The processor, and how many threads a network should get."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swiftseg.core import UsageError

_TOPOLOGY = Path("/sys/devices/system/cpu")
_FACTS = Path("/proc/cpuinfo")


def usable_cpus() -> int:
    """Return how many logical CPUs this process may use, which a container's CPU set limits."""
    return len(_cpu_set()) or os.cpu_count() or 1


def physical_cores() -> int:
    """Return how many physical cores this process may use, at least 1.

    Two threads on one core share its multipliers and slow each other down. Linux tells which
    logical CPUs share a core; elsewhere the machine's cores count.
    """
    siblings = (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list" for cpu in _cpu_set())
    cores = {file.read_text("utf-8") for file in siblings if file.is_file()}
    if cores:
        return len(cores)
    import psutil

    # It counts all cores of a machine, and not only those that a container may use.
    return min(psutil.cpu_count(logical=False) or usable_cpus(), usable_cpus())


def processor_facts() -> Mapping[str, str]:
    """Return what Linux says of the first processor by name; empty on other systems.

    psutil has neither a processor's name nor its instruction sets. py-cpuinfo has both, and takes
    1.4 s and further processes for them, at every start with `--backend auto`.
    """
    if not _FACTS.is_file():
        return {}
    first, _, _ = _FACTS.read_text("utf-8").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that this process has no CPUs for; None passes.

    Raises:
        UsageError: It is below 1, or above the logical CPUs this process may use.
    """
    if threads is None:
        return
    if threads < 1:
        raise UsageError(f"expected at least 1 thread, got {threads}")
    available = usable_cpus()
    if threads > available:
        raise UsageError(f"expected at most {available} threads, one a CPU here, got {threads}")


def _cpu_set() -> set[int]:
    if sys.platform == "linux":
        return os.sched_getaffinity(0)
    import psutil  # Linux does without: importing it takes as long as labeling a frame

    process: Any = psutil.Process()  # macOS has no affinity
    return set(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else set[int]()
