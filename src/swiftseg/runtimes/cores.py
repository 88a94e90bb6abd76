"""How many threads a network should get."""

import os
from pathlib import Path

from swiftseg.core import UsageError

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Counts the physical cores this process may use, at least 1.

    Two threads on one core share its multipliers and slow each other down. Linux tells which
    logical CPUs share a core, and a container's CPU set is kept to; elsewhere every CPU counts.
    """
    cpus = _cpus()
    siblings = (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list" for cpu in cpus)
    cores = {file.read_text() for file in siblings if file.is_file()}
    return len(cores) or len(cpus) or os.cpu_count() or 1


def check_threads(threads: int | None) -> None:
    """Refuses a number of threads that this process has no CPUs for; None passes.

    Raises:
        UsageError: It is below 1, or above the logical CPUs this process may use.
    """
    if threads is None:
        return
    if threads < 1:
        raise UsageError(f"expected at least 1 thread, got {threads}")
    available = len(_cpus()) or os.cpu_count() or threads
    if threads > available:
        raise UsageError(f"expected at most {available} threads, one a CPU here, got {threads}")


def _cpus() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
