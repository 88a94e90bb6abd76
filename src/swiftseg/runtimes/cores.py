"""How many threads a network should get."""

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Counts the physical cores this process may use, at least 1.

    Two threads on one core share its multipliers and slow each other down. Linux tells which
    logical CPUs share a core, and a container's CPU set is kept to; elsewhere every CPU counts.
    """
    cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
    siblings = (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list" for cpu in cpus)
    cores = {file.read_text() for file in siblings if file.is_file()}
    return len(cores) or len(cpus) or os.cpu_count() or 1
