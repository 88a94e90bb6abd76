"""The process that writes to a run's folder."""

import os
import platform
from typing import Self

import psutil

from swiftseg.core.schema import Section

# A process number is given again; a process that started this much later is another one. The clock
# that start times are derived from may be set by a second or two meanwhile.
SAME_START_SECONDS = 10.0


class Writer(Section):
    """A process and its machine.

    Attributes:
        host: The machine's name.
        pid: The process's number there.
        started: When it started, in seconds since 1970; None in files of older versions.
    """

    host: str
    pid: int
    started: float | None = None

    @classmethod
    def here(cls) -> Self:
        """Return this process."""
        started = psutil.Process().create_time()
        return cls(host=platform.node(), pid=os.getpid(), started=started)

    @property
    def is_local(self) -> bool:
        """Whether it runs, or ran, on this machine."""
        return self.host == platform.node()

    @property
    def is_alive(self) -> bool:
        """Whether a local process still runs."""
        try:
            started = psutil.Process(self.pid).create_time()
        except (psutil.NoSuchProcess, ValueError):
            return False
        except psutil.AccessDenied:
            return True  # another user's
        return self.started is None or abs(started - self.started) < SAME_START_SECONDS
