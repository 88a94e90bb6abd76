"""Ctrl-C that ends a work well instead of tearing it."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

_PATIENCE_S = 2.0  # within it a second Ctrl-C is the same one, pressed twice


class Interrupt:
    """Whether Ctrl-C came, and what it stops; until `stop` is set it raises as ever."""

    def __init__(self) -> None:
        self.stop: Callable[[], None] | None = None
        self._came_s: float | None = None

    @property
    def came(self) -> bool:
        return self._came_s is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Answers the signal."""
        if self.stop is None:
            signal.default_int_handler(number, frame)
        elif self._came_s is None:
            self._came_s = monotonic()
            self.stop()
        elif monotonic() - self._came_s > _PATIENCE_S:
            signal.default_int_handler(number, frame)


@contextmanager
def first_interrupt_stops() -> Generator[Interrupt]:
    """Makes the first Ctrl-C call `stop` of what is yielded; another, seconds later, raises.

    An exception in the middle of writing a file's end would leave a video that no player opens.
    Outside the main thread, which gets no signals, nothing changes.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    before = signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
