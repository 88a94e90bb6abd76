"""What the numbers were taken on, and whether it had nothing else to do."""

import platform

import psutil

from swiftseg.core.schema import Section
from swiftseg.core.versions import installed_version
from swiftseg.runtimes.cores import physical_cores, processor_facts, usable_cpus

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
_LOOK_S = 0.5


class Machine(Section):
    """A machine and what runs on it.

    Attributes:
        cpu: The processor's name.
        cpus: Logical processors that this process may use.
        cores: Physical cores among them.
        instruction_sets: Those of `INSTRUCTION_SETS` it has; empty where the system tells none.
        memory_gb: In 10^9 bytes; None in reports of systems that did not tell.
        system: Such as `Linux-6.8.0-x86_64-with-glibc2.39`.
        python: Such as `3.12.3`.
        versions: Of the installed `PACKAGES`.
        busy_cpus: How many processors' time others took right before the start.
    """

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
            f"the machine is busy: other programs use {self.busy_cpus:.1f} processors, so the "
            "times are too slow and vary"
        )


def describe_machine() -> Machine:
    """Return what this machine is; looks for half a second at its load."""
    facts = processor_facts()
    flags = facts.get("flags", facts.get("Features", "")).split()
    return Machine(
        cpu=facts.get("model name") or platform.processor() or platform.machine(),
        cpus=usable_cpus(),
        cores=physical_cores(),
        instruction_sets=[name for name in INSTRUCTION_SETS if name in flags],
        memory_gb=psutil.virtual_memory().total / 1e9,
        system=platform.platform(),
        python=platform.python_version(),
        versions={name: found for name in PACKAGES if (found := installed_version(name))},
        busy_cpus=sum(psutil.cpu_percent(_LOOK_S, percpu=True)) / 100,
    )
