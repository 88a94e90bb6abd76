"""Reading the next frames while the network is at work on this one."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

FRAMES_AHEAD = 2


def read_ahead(read: Callable[[int], Item], count: int) -> Iterator[Item]:
    """Yield `read(0)` to `read(count - 1)`, read by one thread up to `FRAMES_AHEAD` ahead.

    Decoders let other threads run, so that on a second core reading costs no time. What `read`
    raises is raised where its item would have come.
    """
    reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read_ahead")
    try:
        coming = deque(reader.submit(read, index) for index in range(min(FRAMES_AHEAD, count)))
        for index in range(count):
            item = coming.popleft().result()
            if index + FRAMES_AHEAD < count:
                coming.append(reader.submit(read, index + FRAMES_AHEAD))
            yield item
    finally:
        reader.shutdown(cancel_futures=True)
