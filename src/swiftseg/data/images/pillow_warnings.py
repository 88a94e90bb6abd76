"""Pillow's warnings left out while images are read, also by several threads at once.

`warnings.catch_warnings` is no help before Python 3.14: it saves and restores a list that all
threads share, so that a thread which leaves last may bring back what another one has set aside.
"""

import sys
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

_MODULE = r"PIL\."

_lock = threading.Lock()
_readers = 0


@contextmanager
def pillow_warnings_ignored() -> Generator[None]:
    """Ignore what modules of Pillow warn of, while at least one thread is inside.

    One filter is added by the first thread in and taken away by the last one out; the others in
    the list are not touched, whoever changes them meanwhile.
    """
    if getattr(sys.flags, "context_aware_warnings", False):  # Python 3.14, where it is a thread's
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=_MODULE)
            yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _readers
    with _lock:
        _readers += 1
        if _readers == 1:
            warnings.filterwarnings("ignore", module=_MODULE)


def _leave() -> None:
    global _readers
    with _lock:
        _readers -= 1
        if _readers == 0:
            filters = cast(list[tuple[Any, ...]], warnings.filters)
            ours = [entry for entry in filters if getattr(entry[3], "pattern", None) == _MODULE]
            for entry in ours:
                # Gone already where somebody has restored the list meanwhile.
                with suppress(ValueError):
                    filters.remove(entry)
