import pytest

from swiftseg.cluster.attempts import TRIES, Attempts, refusing
from swiftseg.core import SwiftsegError

STAGE = (7, "read")


def worked(attempts, keys, poisoned=(), stage=STAGE):
    """Does a piece as a worker does; gives what was left out, or None where the worker died."""
    left_out = []
    began_before = attempts.begin_piece(stage)
    check = refusing(lambda key: attempts.begin_input(stage, key))
    for key in keys:
        try:
            if began_before:
                check(key)
        except SwiftsegError:
            left_out.append(key)
            continue
        if key in poisoned:
            return None
    attempts.finish(stage)
    return left_out


def deaths_until_done(attempts, keys, poisoned):
    for deaths in range(20):
        left_out = worked(attempts, keys, poisoned)
        if left_out is not None:
            return deaths, left_out
    raise AssertionError("never done")


def test_nothing_is_left_out_of_what_kills_nobody():
    attempts = Attempts()
    assert worked(attempts, "abc") == []
    assert attempts.begin_piece(STAGE) == 0


@pytest.mark.parametrize("poisoned", ["a", "b", "c"])
def test_an_input_that_kills_is_tried_twice_by_itself_and_set_aside(poisoned):
    # Once in its piece, whose inputs nobody has announced, and twice announced.
    assert deaths_until_done(Attempts(), "abc", poisoned) == (1 + TRIES, [poisoned])


def test_each_of_two_that_kill_is_found():
    assert deaths_until_done(Attempts(), "abcd", "bd") == (1 + 2 * TRIES, ["b", "d"])


def test_a_death_by_chance_leaves_nothing_out():
    attempts = Attempts()
    assert worked(attempts, "abc", "b") is None
    assert worked(attempts, "abc", "b") is None  # the machine was taken away, twice
    assert worked(attempts, "abc") == []


def test_stages_and_pieces_are_counted_apart():
    attempts = Attempts()
    assert worked(attempts, "abc", "a") is None
    assert attempts.begin_piece((7, "segment")) == 0
    assert attempts.begin_piece((8, "read")) == 0
    assert attempts.begin_piece(STAGE) == 1
