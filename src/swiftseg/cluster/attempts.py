"""How often a piece of work was begun without being finished: the sign of an input that kills."""

from collections.abc import Callable

from swiftseg.core import SwiftsegError

TRIES = 2  # of an input by itself, before it is set aside

PieceStage = tuple[int, str]  # a piece's number, and the stage it is in


class Attempts:
    """Counts beginnings; lives in one process that all workers ask.

    A piece that was begun before has lost a worker on its way. Its inputs are then announced one by
    one: the one that was announced last is the one that a dead worker was at.
    """

    def __init__(self) -> None:
        self._pieces: dict[PieceStage, int] = {}
        self._current: dict[PieceStage, str] = {}
        self._deaths: dict[tuple[PieceStage, str], int] = {}

    def begin_piece(self, stage: PieceStage) -> int:
        """Return how often a piece was begun before."""
        before = self._pieces.get(stage, 0)
        self._pieces[stage] = before + 1
        if stage in self._current:
            at = (stage, self._current.pop(stage))
            self._deaths[at] = self._deaths.get(at, 0) + 1
        return before

    def begin_input(self, stage: PieceStage, key: str) -> int:
        """Note that a worker is at an input now; return how many have died at it before."""
        self._current[stage] = key
        return self._deaths.get((stage, key), 0)

    def finish(self, stage: PieceStage) -> None:
        """Forget a piece that is through."""
        self._pieces.pop(stage, None)
        self._current.pop(stage, None)


def refusing(begin_input: Callable[[str], int]) -> Callable[[str], None]:
    """Return a check that leaves out an input at which workers have died often enough."""

    def check(key: str) -> None:
        if begin_input(key) >= TRIES:
            raise SwiftsegError(f"{key}: set aside, since {TRIES} workers died while processing it")

    return check
