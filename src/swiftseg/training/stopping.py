"""Stopping a training between two steps."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from swiftseg.core.interrupts import STOP_SIGNALS, is_kept


class StopRequest:
    """Notes a first stop signal instead of dying of it; a second one is obeyed at once.

    Signals belong to the main thread; a training in another thread leaves them alone.
    """

    def __init__(self) -> None:
        self.made = False
        self.previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for kind in STOP_SIGNALS:
                if not is_kept(kind):
                    self.previous[kind] = signal.signal(kind, self.note)
        return self

    def __exit__(self, *raised: object) -> None:
        self.restore()

    def note(self, number: int, frame: FrameType | None) -> None:
        self.made = True
        self.restore()

    @contextmanager
    def obeyed_at_once(self) -> Generator[None]:
        """Let a stop raise KeyboardInterrupt inside the block, and note it all the same."""
        if self.made:  # the handlers that stood before are back, and raise anyway
            yield
            return
        for kind in self.previous:
            signal.signal(kind, self._raise)
        try:
            yield
        finally:
            if not self.made:
                for kind in self.previous:
                    signal.signal(kind, self.note)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.note(number, frame)
        raise KeyboardInterrupt

    def restore(self) -> None:
        for kind, handler in self.previous.items():
            signal.signal(kind, handler)
