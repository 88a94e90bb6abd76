"""A progress bar for work that lasts."""

from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

_PATIENCE_S = 1.0


class LateProgress:
    """A bar on stderr that shows itself after a second of work, and only on a terminal."""

    def __init__(self, what: str) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(what, total=0)
        self._total: int | None = 0
        self._begin = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.live.is_started:  # stopping prints a line even where nothing was shown
            self._progress.stop()

    def expect(self, count: int | None) -> None:
        """Adds to what is to be done; None, an unknown number, makes the total unknown."""
        if self._total is None or count is None:
            self._total = None
        else:
            self._total += count
        # Progress.update takes None for "as before".
        self._progress.tasks[self._task].total = self._total

    def advance(self) -> None:
        """Counts one as done."""
        self._progress.advance(self._task)
        late = monotonic() - self._begin > _PATIENCE_S
        if late and self._progress.console.is_terminal and not self._progress.live.is_started:
            self._progress.start()
