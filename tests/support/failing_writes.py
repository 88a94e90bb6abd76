"""The n-th step of writing files fails, as in SQLite's tests: for every n, by a disk that is full.

Files are created, put on the disk and renamed in `swiftseg.core.files` alone.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from swiftseg.core import files

STEPS = ("_created_beside", "_sync", "_rename")


class Steps:
    """Counts the steps, and fails the one of a number.

    Attributes:
        done: How many there were.
    """

    def __init__(self, failing: int | None = None) -> None:
        self.done, self._failing = 0, failing

    @property
    def has_failed(self) -> bool:
        return self._failing is not None and self.done >= self._failing

    def counted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            self.done += 1
            if self.done == self._failing:
                raise OSError(errno.ENOSPC, "No space left on device")
            return step(*arguments)

        return run


@contextmanager
def failing_step(number: int | None) -> Iterator[Steps]:
    """Makes the step of that number fail; None counts them."""
    steps = Steps(number)
    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(files, name, steps.counted(getattr(files, name)))
        yield steps


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
