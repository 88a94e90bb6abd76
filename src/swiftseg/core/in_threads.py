"""Work on many files in threads, with a bounded number of results waiting."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from swiftseg.core.budgets import LARGE_PIXELS
from swiftseg.core.large_in_turn import piece_of_work

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = min(8, os.cpu_count() or 1)


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int = THREADS
) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items.

    Unlike an executor's map, it takes an item only when one of few places is free, so that memory
    does not grow with the number of files; items with large pictures are worked on one at a time.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(_one_piece, function, item))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def one_ahead(
    read: Callable[[Item], Result], items: Iterable[Item], *, pixels_of: Callable[[Result], int]
) -> Iterator[Result]:
    """Yield `read(item)` in the order of the items; a thread reads one while another is used.

    A large picture is let go of before the next one is read: two would need twice the memory.
    """
    upcoming = iter(items)
    with ThreadPoolExecutor(1) as pool:

        def started() -> Future[Result] | None:
            for item in upcoming:
                return pool.submit(_one_piece, read, item)
            return None

        ahead = started()
        while ahead is not None:
            result = ahead.result()
            ahead = started() if pixels_of(result) < LARGE_PIXELS else None
            yield result
            del result  # not kept while the next one is waited for
            ahead = ahead or started()


def _one_piece(function: Callable[[Item], Result], item: Item) -> Result:
    with piece_of_work():
        return function(item)


def in_another_thread(work: Callable[[], Result]) -> Result:
    """Return what a call in a thread of its own returns, or raise what it raises.

    For calls that change how the thread that makes them computes.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()
