import pytest

from swiftseg.core import SwiftsegError
from swiftseg.core.memory import free_memory_bytes
from swiftseg.core.memory_limit import (
    check_limit,
    fits_limit,
    left_by_limit,
    memory_limit,
    resident_bytes,
)

MB = 10**6


def test_a_limit_counts_what_the_process_holds_and_ends_with_its_block():
    held = resident_bytes()
    with memory_limit(held + 500 * MB):
        left = left_by_limit()
        assert left is not None
        assert 0 < left < 600 * MB
        assert free_memory_bytes() <= left + 50 * MB
        assert fits_limit(300 * MB)
        assert not fits_limit(700 * MB)
        check_limit("a.png", (1000, 1000), 16 * MB)
        with pytest.raises(SwiftsegError, match=r"a\.png: 60 megapixels may need 960 MB, and"):
            check_limit("a.png", (6000, 10_000), 960 * MB)
    assert left_by_limit() is None
    assert fits_limit(1 << 60)
    check_limit("a.png", (1, 1), 1 << 60)


def test_a_limit_below_what_is_held_leaves_nothing():
    with memory_limit(1):
        assert left_by_limit() == 0
        assert not fits_limit(1)
        with memory_limit(None):  # none of its own: the outer one stays
            assert left_by_limit() == 0
