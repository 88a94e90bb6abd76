import threading

import pytest

from swiftseg.core.budgets import LARGE_PIXELS
from swiftseg.core.in_threads import in_threads, one_ahead


def test_results_come_in_order_and_few_wait():
    taken, given, lock = 0, 0, threading.Lock()
    most_waiting = 0

    def items():
        nonlocal taken, most_waiting
        for index in range(500):
            with lock:
                taken += 1
                most_waiting = max(most_waiting, taken - given)
            yield index

    results = []
    for result in in_threads(lambda index: index * index, items(), threads=3):
        given += 1
        results.append(result)
    assert results == [index * index for index in range(500)]
    assert most_waiting <= 2 * 3 + 1


def test_an_error_comes_in_its_place():
    def read(index: int) -> int:
        if index == 2:
            raise ValueError("broken frame")
        return index

    items = in_threads(read, range(5), threads=1)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="broken frame"):
        next(items)


def test_one_thread_reads_one_item_ahead():
    read: list[int] = []
    items = in_threads(lambda index: read.append(index) or index, range(10), threads=1)
    for index in range(3):
        assert next(items) == index
    items.close()
    assert len(read) <= 4


def test_a_small_picture_is_read_while_the_one_before_is_used():
    begun = [threading.Event() for _ in range(5)]
    items = one_ahead(lambda index: begun[index].set() or index, range(5), pixels_of=lambda _: 1)
    for index in range(4):
        assert next(items) == index
        assert begun[index + 1].wait(timeout=60)
    assert list(items) == [4]


def test_no_picture_is_read_while_a_large_one_is_held():
    held = 0

    class Picture:
        def __init__(self, number: int) -> None:
            nonlocal held
            held += 1
            self.number, self.most = number, held

        def __del__(self) -> None:
            nonlocal held
            held -= 1

    pictures = one_ahead(Picture, range(6), pixels_of=lambda _: LARGE_PIXELS)
    seen: list[tuple[int, int]] = []
    for picture in pictures:
        seen.append((picture.number, picture.most))
        del picture
    assert seen == [(number, 1) for number in range(6)]
