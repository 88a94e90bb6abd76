"""What tests let other processes run."""

import os
import sys
import time


def process_id() -> int:
    return os.getpid()


def modules_with(prefixes: list[str]) -> list[str]:
    """The modules that are loaded and begin so."""
    return [name for name in sys.modules if name.partition(".")[0] in prefixes]


def started(started_ns: int) -> tuple[int, int]:
    return started_ns, time.time_ns()
