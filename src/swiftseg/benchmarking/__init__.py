"""How fast a model is on the machine at hand: by stage, by stream, and what it costs.

Engines keep threads that spin after a run and slow down whoever comes next in the same process, so
everything here is measured in processes of its own (`core.fresh_process`), which take turns
(`alternation`). The numbers, with the machine they were taken on, go into one versioned report
(`report`), from which every table and plot is made.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.benchmarking.benchmark_models import benchmark

__all__ = ["benchmark"]


def __getattr__(name: str) -> Any:
    # Looked up when it is first used: the measured processes import this package too, and their
    # start-up and memory are measured.
    if name != "benchmark":
        raise AttributeError(f"module 'swiftseg.benchmarking' has no attribute {name!r}")
    from swiftseg.benchmarking.benchmark_models import benchmark

    return benchmark
