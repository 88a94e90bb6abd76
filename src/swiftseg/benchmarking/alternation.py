"""Measurements that take turns, each time in a new process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swiftseg.core.fresh_process import run_in_process


@dataclass(frozen=True)
class Turn:
    """One measurement."""

    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


def alternate(
    jobs: Sequence[Turn], *, passes: int, on_run: Callable[[Turn], None] | None = None
) -> dict[str, list[Any]]:
    """Run all jobs one after the other, and again, so that a drift of the machine meets all.

    Returns:
        Each job's results by its name, one a pass.

    Raises:
        ValueError: Two jobs share a name.
        SwiftsegError: A job failed.
    """
    results: dict[str, list[Any]] = {job.name: [] for job in jobs}
    if len(results) != len(jobs):
        raise ValueError(f"names of jobs repeat: {', '.join(job.name for job in jobs)}")
    for _ in range(passes):
        for job in jobs:
            results[job.name].append(run_in_process(job.function, **job.arguments))
            if on_run is not None:
                on_run(job)
    return results
