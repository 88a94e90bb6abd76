"""Ctrl-C that ends a work well instead of tearing it."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether Ctrl-C came, and what it stops; until `stop` is set it raises as ever."""

    def __init__(self) -> None:
        self.came = False
        self.stop: Callable[[], None] | None = None


@contextmanager
def first_interrupt_stops() -> Generator[Interrupt]:
    """Makes the first Ctrl-C call `stop` of what is yielded; a second one raises.

    An exception in the middle of writing a file's end would leave a video that no player opens.
    Outside the main thread, which gets no signals, nothing changes.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if interrupt.came or interrupt.stop is None:
            signal.default_int_handler(number, frame)
        interrupt.came = True
        interrupt.stop()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
