"""Signals that ask a process to stop: they end a work well instead of tearing it."""

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

# Ctrl-C, `docker stop` or a cluster's scheduler, and a terminal that is closed; Windows lacks the
# last one.
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_PATIENCE_S = 2.0  # within it a second signal is the same one, pressed twice

Handler = Callable[[int, FrameType | None], Any]


def is_kept(number: int, *, of: Sequence[int] = STOP_SIGNALS[2:]) -> bool:
    """Whether a signal is one of those that stay ignored where they are, as hang-ups by nohup."""
    return number in of and signal.getsignal(number) == signal.SIG_IGN


class Interrupt:
    """Record a stop signal and call `stop`; before `stop` is set, it raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.stop: Callable[[], None] | None = None
        self._came_s: float | None = None

    @property
    def came(self) -> bool:
        return self._came_s is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Answer the signal."""
        if self.stop is None:
            signal.default_int_handler(number, frame)
        elif self._came_s is None:
            self._came_s = monotonic()
            self.stop()
        elif monotonic() - self._came_s > _PATIENCE_S:
            signal.default_int_handler(number, frame)


@contextmanager
def first_interrupt_stops() -> Generator[Interrupt]:
    """Make the first stop signal call `stop` of what is yielded; another, seconds later, raises.

    An exception in the middle of writing a file's end would leave a video that no player opens.
    Outside the main thread, which gets no signals, nothing changes.
    """
    interrupt = Interrupt()
    # Only nohup's choice is kept: a video in the background of a script must be playable too.
    with _handled_by(interrupt.handle, kept_if_ignored=STOP_SIGNALS[2:]):
        yield interrupt


@contextmanager
def stop_signals_raise() -> Generator[None]:
    """Make every stop signal raise KeyboardInterrupt inside the block, as Ctrl-C does."""
    with _handled_by(signal.default_int_handler, kept_if_ignored=STOP_SIGNALS):
        yield


@contextmanager
def _handled_by(handler: Handler, kept_if_ignored: Sequence[int]) -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # nohup ignores hang-ups, and shells ignore Ctrl-C in the background.
    caught = [number for number in STOP_SIGNALS if not is_kept(number, of=kept_if_ignored)]
    before = {number: signal.signal(number, handler) for number in caught}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
