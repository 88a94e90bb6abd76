"""A progress bar for work that lasts."""

from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE_S = 1.0


class LateProgress:
    """A bar on stderr that shows itself after a second of work, and only on a terminal."""

    def __init__(self, what: str, *, enabled: bool = True) -> None:
        self._what = what
        self._enabled = enabled
        self._total: int | None = 0
        self._done = 0
        self._begin = monotonic()
        self._is_due = False
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def expect(self, count: int | None) -> None:
        """Add to what is to be done; None, an unknown number, makes the total unknown."""
        self._total = None if self._total is None or count is None else self._total + count
        self._show()

    def advance(self, note: str = "", *, count: int = 1) -> None:
        """Count one as done, or several; the note stands behind the count until the next."""
        self._done += count
        self._wake()
        self._show(note)

    def note(self, note: str) -> None:
        """Show a note behind the count while one of the items is worked on."""
        self._wake()
        self._show(note)

    def _wake(self) -> None:
        if self._enabled and not self._is_due and monotonic() - self._begin > _PATIENCE_S:
            self._is_due = True
            self._bar = _bar_on_terminal(self._what)

    def _show(self, note: str = "") -> None:
        if self._bar is not None:
            [task] = self._bar.tasks
            task.total = self._total  # update() takes None for "as before"
            self._bar.update(task.id, completed=self._done, note=note)


def _bar_on_terminal(what: str) -> "Progress | None":
    # Imported when it is needed: short work is done before rich is there.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        return None
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    bar.add_task(what, total=None, note="")
    bar.start()
    return bar
