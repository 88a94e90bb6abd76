"""How fast frames come, and how evenly."""

from collections import deque
from itertools import pairwise

import numpy as np

_RECENT = 100  # frames that the text on the screen looks back on


class Pace:
    """Counts finished frames against the clock."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self._last_s = 0.0
        self._intervals_ms: list[float] = []
        self._recent_s: deque[float] = deque(maxlen=_RECENT)

    def tick(self, now_s: float) -> None:
        """Note that a frame was finished at a time in seconds."""
        if self._first_s is None:
            self._first_s = now_s
        else:
            self._intervals_ms.append(1000 * (now_s - self._last_s))
        self._last_s = now_s
        self._recent_s.append(now_s)

    @property
    def fps(self) -> float | None:
        """Frames a second over all frames; None before the second one."""
        if self._first_s is None or self._last_s == self._first_s:
            return None
        return len(self._intervals_ms) / (self._last_s - self._first_s)

    @property
    def p95_ms(self) -> float | None:
        """The 95th percentile of the times between two frames; None before the second one."""
        return float(np.percentile(self._intervals_ms, 95)) if self._intervals_ms else None

    def recent(self) -> str:
        """Return the recent pace, as `23.4 fps, p95 51 ms`; empty before the second frame."""
        times_s = list(self._recent_s)  # another thread adds to it meanwhile
        if len(times_s) < 2 or times_s[-1] == times_s[0]:
            return ""
        fps = (len(times_s) - 1) / (times_s[-1] - times_s[0])
        intervals_ms = [1000 * (end - begin) for begin, end in pairwise(times_s)]
        return f"{fps:.1f} fps, p95 {np.percentile(intervals_ms, 95):.0f} ms"
