"""Work with large pictures is done one at a time; small ones overlap."""

import threading

import pytest

from swiftseg.core.budgets import LARGE_PIXELS
from swiftseg.core.in_threads import in_threads
from swiftseg.core.large_in_turn import turn_if_large


@pytest.mark.parametrize(("pixels", "most"), [(LARGE_PIXELS, 1), (LARGE_PIXELS - 1, 4)])
def test_how_many_pieces_of_work_are_in_hand(pixels: int, most: int):
    at_work, seen, lock = 0, 0, threading.Lock()
    together = threading.Barrier(4)

    def work(number: int) -> int:
        nonlocal at_work, seen
        if most > 1:
            together.wait(timeout=60)  # none goes on before all have begun
        with turn_if_large(pixels):
            with lock:
                at_work += 1
                seen = max(seen, at_work)
            if most > 1:
                together.wait(timeout=60)
        # The turn is kept until the piece of work ends.
        with turn_if_large(pixels), lock:
            at_work -= 1
        return number

    assert list(in_threads(work, range(8), threads=4)) == list(range(8))
    assert seen == most
