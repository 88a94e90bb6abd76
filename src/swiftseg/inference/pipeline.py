"""Stages that overlap: each in a thread of its own, with bounded queues between them.

Decoders, engines and encoders let other threads run while they work, so that a frame costs the
time of the slowest stage and not of all of them. Threads that wait sleep; none spins.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from threading import Condition, Thread
from time import perf_counter
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

WAITING = 2  # items before a stage: enough to bridge a slow one, few enough to keep memory small


class ChannelClosedError(Exception):
    """The other side of a channel is gone; the thread that meets this has nothing left to do."""


class Channel(Generic[Item]):
    """A bounded queue from one thread to another that can end, fail and be closed.

    A full one makes the sender wait, or with `drop_oldest` loses its oldest item.

    Attributes:
        dropped: Items that were lost so far.
    """

    def __init__(self, capacity: int, *, drop_oldest: bool = False) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._drop_oldest = drop_oldest
        self._items: deque[Item] = deque()
        self._changed = Condition()
        self._finished = False
        self._error: BaseException | None = None
        self._closed = False

    def put(self, item: Item) -> None:
        """Append an item, once there is room. Raises ChannelClosedError when nobody takes it."""
        with self._changed:
            if not self._drop_oldest:
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                raise ChannelClosedError
            if len(self._items) == self._capacity:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Note that no item follows; an error is raised where the next item would have come."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Wake both sides and make them stop; what waits is let go."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Take the items in order. Raises the error of `finish`, or ChannelClosedError."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._finished or self._closed)
                if self._closed:
                    raise ChannelClosedError
                if not self._items:
                    if self._error is not None:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
            del item  # not kept while the next one is waited for


class Pipeline:
    """Sends the items of a source through stages; iterating gives what leaves the last one.

    Order is kept. What a stage or the source raises is raised by the iteration, behind the items
    that were ahead of it. However the iteration ends (also by Ctrl-C or by being closed), the
    threads have ended when it is left, each after the item it had in hand. Who may leave it early
    wraps it in `contextlib.closing`.

    Args:
        source: Walked through by a thread of its own.
        stages: Functions of one item by their names, in order.
        waiting: Items that wait before each stage at most.
        drop_oldest: Where the first stage is slower than the source, lose the oldest frames waiting
            for it: for sources that cannot wait, such as cameras.
        overlap: Whether each stage has a thread of its own; else one thread does all of them, for
            items of which only a few fit into memory.

    Attributes:
        times_ms: What each stage took, one value an item; the source's is under `source_name`.
    """

    def __init__(
        self,
        source: Iterable[Any],
        stages: Mapping[str, Callable[[Any], Any]],
        *,
        source_name: str = "source",
        waiting: int = WAITING,
        drop_oldest: bool = False,
        overlap: bool = True,
    ) -> None:
        self.times_ms: dict[str, list[float]] = {name: [] for name in (source_name, *stages)}
        self._source_times = self.times_ms[source_name]
        self._first: Channel[Any] = Channel(waiting, drop_oldest=drop_oldest)
        groups = [[name] for name in stages] if overlap else [list(stages)]
        self._channels = [self._first, *(Channel[Any](waiting) for _ in groups)]
        self._threads = [self._thread(source_name, self._feed, source)]
        for names, incoming, outgoing in zip(
            groups, self._channels, self._channels[1:], strict=False
        ):
            work = [(stages[name], self.times_ms[name]) for name in names]
            self._threads.append(self._thread(names[0], _work, work, incoming, outgoing))

    @property
    def dropped(self) -> int:
        """How many items of the source were lost so far."""
        return self._first.dropped

    def __iter__(self) -> Generator[Any]:
        """Start the threads and yield what leaves the last stage; to be walked through once."""
        try:
            for thread in self._threads:
                thread.start()
            yield from self._channels[-1]
        except ChannelClosedError:
            return  # stopped
        finally:
            for channel in self._channels:
                channel.close()
            for thread in self._threads:
                if thread.ident is not None:  # Ctrl-C may come before all are started
                    thread.join()

    def stop(self) -> None:
        """Make the iteration end soon and well; what waits is let go. Signal handlers may call it.

        Stage after stage finds the channel before it closed, once it is done with its item.
        """
        self._first.close()

    def _feed(self, source: Iterable[Any]) -> None:
        def timed() -> Iterator[Any]:
            items = iter(source)
            while True:
                begin = perf_counter()
                try:
                    item = next(items)
                except StopIteration:
                    return
                self._source_times.append(1000 * (perf_counter() - begin))
                yield item

        _send(timed(), self._first)

    @staticmethod
    def _thread(name: str, target: Callable[..., None], *arguments: Any) -> Thread:
        # A daemon, so that a second Ctrl-C ends the process even where a stage hangs.
        return Thread(target=target, args=arguments, name=f"swiftseg {name}", daemon=True)


def _work(
    stages: Sequence[tuple[Callable[[Any], Any], list[float]]],
    incoming: Channel[Any],
    outgoing: Channel[Any],
) -> None:
    def results() -> Iterator[Any]:
        for item in incoming:
            for stage, times_ms in stages:
                begin = perf_counter()
                item = stage(item)
                times_ms.append(1000 * (perf_counter() - begin))
            yield item
            del item  # not kept while the next one is waited for

    try:
        _send(results(), outgoing)
    finally:
        incoming.close()


def _send(items: Iterable[Any], outgoing: Channel[Any]) -> None:
    try:
        for item in items:
            outgoing.put(item)
    except ChannelClosedError:
        outgoing.close()
    except BaseException as error:  # it is the consumer's to handle, whatever it is
        outgoing.finish(error)
    else:
        outgoing.finish()
