"""Admission: a bounded queue in front of a thread pool.

Engines and codecs leave Python's lock while they work, so threads keep all cores busy, and one
picture is decoded beside another one's network.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any, TypeVar, cast

T = TypeVar("T")

_MEAN_OVER = 50  # jobs, roughly, whose duration the estimate of the wait remembers


class QueueFullError(Exception):
    """There is no place in the queue; `retry_after_s` is when there may be one."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"the queue is full for about {retry_after_s} s")
        self.retry_after_s = retry_after_s


class WaitedTooLongError(Exception):
    """A job waited in the queue for as long as it may."""


class WorkQueue:
    """Runs jobs in threads, takes a bounded number, and drops those nobody waits for any more."""

    def __init__(self, *, workers: int, max_queue: int, max_wait_s: float) -> None:
        self._workers = workers
        self._max_queue = max_queue
        self._max_wait_s = max_wait_s
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="segment")
        self._free = asyncio.Semaphore(workers)
        self._waiting: set[asyncio.Task[Any]] = set()
        self._mean_s = 0.0
        self.running = 0

    @property
    def waiting(self) -> int:
        """Jobs that wait for a worker."""
        return len(self._waiting)

    def check_room(self, jobs: int = 1) -> None:
        """Raise QueueFullError if so many jobs more find no place."""
        inside = self.waiting + self.running
        if inside + jobs > self._workers + self._max_queue:
            raise QueueFullError(max(1, math.ceil(inside * self._mean_s / self._workers)))

    async def run(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Run all jobs, or none where they find no place.

        A job whose caller is canceled leaves the queue; one that runs already runs to its end.

        Raises:
            QueueFullError: There is no place for all.
            WaitedTooLongError: No worker was free in time.
        """
        self.check_room(len(jobs))
        tasks = [asyncio.ensure_future(self._run(job)) for job in jobs]
        for task in tasks:
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)  # also of one canceled before it began
        try:
            return await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            raise

    async def _run(self, job: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._max_wait_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise WaitedTooLongError from error
        self._waiting.discard(cast("asyncio.Task[Any]", asyncio.current_task()))
        self.running += 1
        begin = perf_counter()
        future = self._pool.submit(job)
        ended = partial(self._end, begin)
        future.add_done_callback(partial(asyncio.get_running_loop().call_soon_threadsafe, ended))
        return await asyncio.wrap_future(future)

    def _end(self, begin: float, future: "Future[Any]") -> None:
        del future
        self.running -= 1
        self._free.release()
        self._mean_s += (perf_counter() - begin - self._mean_s) / _MEAN_OVER

    def close(self) -> None:
        """Wait for the jobs that run."""
        self._pool.shutdown()
