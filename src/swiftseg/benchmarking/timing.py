"""Repeating a call for a while, and how long each took."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

Result = TypeVar("Result")

FEWEST_REPEATS = 2
MOST_REPEATS = 2000
WARM_UP_SHARE = 0.25  # of the time budget, and one call at the very least


def repeat(call: Callable[[], Result], *, seconds: float) -> list[Result]:
    """Call again and again, and return what came back after the warm-up.

    The warm-up takes a quarter of `seconds` and is one call at least: the first calls of an engine
    allocate, and the clock of a CPU climbs for a while. Then follow at least `FEWEST_REPEATS` calls
    and at most `MOST_REPEATS`, for `seconds`.
    """
    _repeat(call, seconds * WARM_UP_SHARE, fewest=1)
    return _repeat(call, seconds, fewest=FEWEST_REPEATS)


def measure_ms(call: Callable[[], object], *, seconds: float) -> list[float]:
    """Return the milliseconds of each call, again and again for `seconds` after a warm-up."""

    def timed() -> float:
        begin = perf_counter()
        call()
        return 1000 * (perf_counter() - begin)

    return repeat(timed, seconds=seconds)


def _repeat(call: Callable[[], Result], seconds: float, *, fewest: int) -> list[Result]:
    results: list[Result] = []
    end = perf_counter() + seconds
    while len(results) < fewest or (perf_counter() < end and len(results) < MOST_REPEATS):
        results.append(call())
    return results
