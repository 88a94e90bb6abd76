"""Large pictures are worked on one at a time, however many threads there are.

Eight threads that each hold a picture of 100 megapixels would need all the memory of a computer.
"""

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from swiftseg.core.budgets import LARGE_PIXELS

_turn = threading.RLock()
_work = threading.local()


@contextmanager
def piece_of_work() -> Generator[None]:
    """Mark what a thread does with the pictures of one item: the turn is kept until it ends."""
    outer = getattr(_work, "stack", None)
    with ExitStack() as stack:
        _work.stack = outer or stack
        try:
            yield
        finally:
            _work.stack = outer


@contextmanager
def turn_if_large(pixels: int) -> Generator[None]:
    """Wait for the turn of a picture of that many pixels; a small one has it at once.

    Within a `piece_of_work` the turn is kept to its end, otherwise to that of the block.
    """
    if pixels < LARGE_PIXELS:
        yield
        return
    with ExitStack() as block:
        stack: ExitStack = getattr(_work, "stack", None) or block
        stack.enter_context(_turn)
        yield
