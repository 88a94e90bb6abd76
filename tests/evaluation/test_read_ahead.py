import threading

import pytest

from swiftseg.evaluation.read_ahead import FRAMES_AHEAD, read_ahead


@pytest.mark.parametrize("count", [0, 1, FRAMES_AHEAD, 10])
def test_everything_comes_once_and_in_order(count):
    assert list(read_ahead(lambda index: index * 10, count)) == [10 * i for i in range(count)]


def test_no_more_is_read_than_stands_ahead():
    read: list[int] = []
    items = read_ahead(lambda index: read.append(index) or index, 10)
    for index in range(3):
        assert next(items) == index
    items.close()
    assert len(read) <= 3 + FRAMES_AHEAD
    assert not [t for t in threading.enumerate() if t.name.startswith("read_ahead")]


def test_an_error_comes_in_its_place():
    def read(index: int) -> int:
        if index == 2:
            raise ValueError("broken frame")
        return index

    items = read_ahead(read, 5)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="broken frame"):
        next(items)
