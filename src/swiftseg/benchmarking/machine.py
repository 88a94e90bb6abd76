"""What the numbers were taken on, and whether it had nothing else to do."""

import os
import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swiftseg.runtimes.cores import physical_cores

# What decides how fast a CPU multiplies, as /proc/cpuinfo calls it on x86 and on ARM.
INSTRUCTION_SETS = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni"),
    *("avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16"),
    *("amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
PACKAGES = (
    *("swiftseg", "numpy", "pillow", "simplejpeg", "onnxruntime", "openvino"),
    *("torch", "torchvision", "segmentation-models-pytorch"),
)

BUSY_CPUS = 0.25  # as much as makes a measurement doubtful

_CPUINFO = Path("/proc/cpuinfo")
_STAT = Path("/proc/stat")
_LOOK_S = 0.5


class Machine(BaseModel):
    """A machine and what runs on it.

    Attributes:
        cpu: The processor's name.
        cpus: Logical processors that this process may use.
        cores: Physical cores among them.
        instruction_sets: Those of `INSTRUCTION_SETS` it has; empty where the system tells none.
        memory_gb: In 10^9 bytes, or None where the system does not tell.
        system: Such as `Linux-6.8.0-x86_64-with-glibc2.39`.
        python: Such as `3.12.3`.
        versions: Of the installed `PACKAGES`.
        busy_cpus: How many processors' time others took right before the start.
    """

    model_config = ConfigDict(extra="forbid")

    cpu: str
    cpus: int
    cores: int
    instruction_sets: list[str]
    memory_gb: float | None
    system: str
    python: str
    versions: dict[str, str]
    busy_cpus: float

    @property
    def warning(self) -> str | None:
        """A line to show where others are at work on the machine, else None."""
        if self.busy_cpus < BUSY_CPUS:
            return None
        return (
            f"the machine is busy: other programs take {self.busy_cpus:.1f} processors' time, so "
            "what is measured now is too slow and scatters"
        )


def describe_machine() -> Machine:
    """Looks at this machine, for half a second at its load."""
    facts = _cpu_facts()
    flags = facts.get("flags", facts.get("Features", "")).split()
    return Machine(
        cpu=facts.get("model name") or platform.processor() or platform.machine(),
        cpus=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        cores=physical_cores(),
        instruction_sets=[name for name in INSTRUCTION_SETS if name in flags],
        memory_gb=_memory_gb(),
        system=platform.platform(),
        python=platform.python_version(),
        versions=_versions(),
        busy_cpus=_busy_cpus(),
    )


def _cpu_facts() -> Mapping[str, str]:
    """Reads the first processor's lines of /proc/cpuinfo; empty where there is none."""
    if not _CPUINFO.exists():
        return {}
    first, _, _ = _CPUINFO.read_text("utf-8").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _memory_gb() -> float | None:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _busy_cpus() -> float:
    """Tells the load of the next half second, or of the last minute where /proc has no counters."""
    if not _STAT.exists():
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    before = _busy_ticks()
    time.sleep(_LOOK_S)
    return (_busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / _LOOK_S


def _busy_ticks() -> int:
    """Adds up all processors' ticks but those of idling and of waiting for a disk."""
    ticks = [int(text) for text in _STAT.read_text("utf-8").splitlines()[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4]
