"""What the routes share: the models, the queue, and the way from pictures to answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from starlette.requests import ClientDisconnect, Request

from swiftseg.core import unknown_name
from swiftseg.inference import Segmenter
from swiftseg.server.answers import Answer, Wanted, answer_picture
from swiftseg.server.bodies import Picture, Receiver, until_gone
from swiftseg.server.limits import Limits
from swiftseg.server.metrics import Metrics
from swiftseg.server.problems import ProblemError
from swiftseg.server.queue import QueueFullError, WaitedTooLongError, WorkQueue

T = TypeVar("T")

Load = Callable[[], Mapping[str, Segmenter]]


class Service:
    """One process of the server; it has no models before `load`."""

    def __init__(self, *, limits: Limits, workers: int) -> None:
        self._segmenters: dict[str, Segmenter] = {}
        self.limits = limits
        self.queue = WorkQueue(
            workers=workers, max_queue=limits.max_queue, max_wait_s=limits.max_wait_s
        )
        self.receiver = Receiver(limits)
        self.metrics = Metrics()
        self.streams = 0
        self.metrics.show(
            {
                "swiftseg_receiving": lambda: self.receiver.receiving,
                "swiftseg_queue_depth": lambda: self.queue.waiting,
                "swiftseg_in_flight": lambda: self.queue.running,
                "swiftseg_streams": lambda: self.streams,
            }
        )

    async def load(self, load: Load, failed: Callable[[Exception], None]) -> None:
        """Load the models and run each once, so that the first request takes no longer."""
        try:
            self._segmenters = await asyncio.to_thread(_warmed, load)
        except Exception as error:
            failed(error)

    def segmenters(self) -> dict[str, Segmenter]:
        """Return the models by name, the default first.

        Raises:
            ProblemError: They are not loaded yet.
        """
        if not self._segmenters:
            detail = "the models are not loaded yet; ask again in a second"
            raise ProblemError(503, detail, {"Retry-After": "1"})
        return self._segmenters

    def segmenter(self, name: str | None) -> Segmenter:
        """Return the model of that name, or the first one.

        Raises:
            ProblemError: No model has that name, or none is loaded yet.
        """
        segmenters = self.segmenters()
        if name is None:
            return next(iter(segmenters.values()))
        if name not in segmenters:
            raise ProblemError(404, str(unknown_name("model", name, segmenters)))
        return segmenters[name]

    async def answers(
        self, segmenter: Segmenter, pictures: Sequence[Picture], wanted: Wanted
    ) -> list[Answer | ProblemError]:
        """Return what each picture gives, or why it gives nothing.

        Raises:
            ProblemError: The queue has no place for all, or they waited too long.
        """
        jobs = [partial(_answer, segmenter, picture, wanted, self.limits) for picture in pictures]
        with _Refusals(self.metrics):
            results = await self.queue.run(jobs)
        for result in results:
            if isinstance(result, Answer):
                self.metrics.observe(segmenter.spec.name, result.timings_ms)
        return results

    async def answer(self, segmenter: Segmenter, picture: Picture, wanted: Wanted) -> Answer:
        """Return what one picture gives; raises every ProblemError."""
        [result] = await self.answers(segmenter, [picture], wanted)
        if isinstance(result, ProblemError):
            raise result
        return result

    async def receive(self, request: Request) -> list[Picture]:
        """Receive a request's pictures, if there may be a place for them in the queue.

        Raises:
            ProblemError: The queue is full, or the body is not as it has to be.
        """
        with _Refusals(self.metrics):
            self.queue.check_room()
        return await self.receiver.receive(request)


def _warmed(load: Load) -> dict[str, Segmenter]:
    segmenters = dict(load())
    for segmenter in segmenters.values():
        segmenter(np.zeros((*segmenter.spec.input.size_hw, 3), dtype=np.uint8))
    return segmenters


def _answer(
    segmenter: Segmenter, picture: Picture, wanted: Wanted, limits: Limits
) -> Answer | ProblemError:
    try:
        return answer_picture(segmenter, picture.data, picture.name, wanted, limits)
    except ProblemError as problem:
        return problem


class _Refusals:
    """Turns what the queue raises into problems, and counts them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, QueueFullError):
            self._metrics.count_rejected("queue full")
            wait_s = error.retry_after_s
            detail = f"the queue is full; send the picture again in {wait_s} s"
            raise ProblemError(429, detail, {"Retry-After": str(wait_s)}) from error
        if isinstance(error, WaitedTooLongError):
            self._metrics.count_rejected("waited too long")
            detail = "the picture waited too long for a free worker; send it again later"
            raise ProblemError(503, detail, {"Retry-After": "1"}) from error


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Return what the work gives; it is canceled when the client goes away.

    Raises:
        ClientDisconnect: The client went away.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(until_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
