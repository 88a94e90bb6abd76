import threading
from itertools import count

import pytest

from swiftseg.inference.pipeline import Channel, ChannelClosedError, Pipeline

LONG_S = 20  # never waited for unless something hangs


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_items_pass_every_stage_in_order():
    pipeline = Pipeline(range(50), {"double": lambda n: 2 * n, "text": str})
    assert list(pipeline) == [str(2 * n) for n in range(50)]
    assert pipeline.dropped == 0


def test_an_empty_source_ends_at_once():
    assert list(Pipeline([], {"stage": str})) == []


def test_each_stage_runs_beside_the_others():
    """Item 1 is in the first stage while item 0 is in the second, or neither would go on."""
    meeting = threading.Barrier(2)

    def meet(turn):
        def stage(n):
            if n == turn:
                meeting.wait(LONG_S)
            return n

        return stage

    assert list(Pipeline(range(3), {"first": meet(1), "second": meet(0)})) == [0, 1, 2]


def test_no_more_items_wait_than_there_are_places():
    made = []
    gate, full = threading.Event(), threading.Event()
    waiting = 3

    def source():
        for n in range(20):
            made.append(n)
            if n == waiting + 1:  # one is in the stage, three wait, and this one finds no place
                full.set()
            yield n

    def stage(n):
        assert gate.wait(LONG_S)
        return n

    pipeline = iter(Pipeline(source(), {"stage": stage}, waiting=waiting))
    opener = threading.Thread(target=lambda: (full.wait(LONG_S), gate.set()))
    opener.start()
    counted = []
    for n in pipeline:
        # At most: in hand here, before here, in the stage, before the stage, in the source's hand.
        counted.append(len(made) - n)
        assert len(made) - n <= 1 + waiting + 1 + waiting + 1
    opener.join(LONG_S)
    assert len(counted) == 20


def test_a_slow_stage_loses_the_oldest_frames_and_counts_them():
    all_made, first_taken = threading.Event(), threading.Event()

    def camera():
        yield 0
        assert first_taken.wait(LONG_S)
        yield from range(1, 10)
        all_made.set()

    def slow(n):
        first_taken.set()
        assert all_made.wait(LONG_S)
        return n

    pipeline = Pipeline(camera(), {"slow": slow}, waiting=2, drop_oldest=True)
    assert list(pipeline) == [0, 8, 9]
    assert pipeline.dropped == 7


def test_an_error_comes_behind_the_items_ahead_of_it():
    def fail_at_three(n):
        if n == 3:
            raise ValueError("three")
        return n

    got = []
    with pytest.raises(ValueError, match="three"):
        got.extend(Pipeline(count(), {"first": fail_at_three, "second": lambda n: n}))
    assert got == [0, 1, 2]


def test_an_error_in_the_last_stage_stops_an_endless_source():
    def fail(n):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        list(Pipeline(count(), {"first": lambda n: n, "last": fail}))


def test_an_error_of_the_source_comes_behind_its_items():
    def breaks():
        yield 1
        yield 2
        raise EOFError("cut")

    got = []
    with pytest.raises(EOFError, match="cut"):
        got.extend(Pipeline(breaks(), {"stage": lambda n: n}))
    assert got == [1, 2]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_consumer_that_leaves_ends_an_endless_source(error):
    def leave_at_five():
        for n in Pipeline(count(), {"first": lambda n: n, "second": lambda n: n}):
            if n == 5:
                raise error

    with pytest.raises(error):
        leave_at_five()


def test_a_stopped_pipeline_ends_well_however_long_its_source():
    pipeline = Pipeline(count(), {"first": lambda n: n, "second": lambda n: n})
    got = []
    for n in pipeline:
        got.append(n)
        if n == 5:
            pipeline.stop()
    assert got[:6] == [0, 1, 2, 3, 4, 5]
    assert got == list(range(len(got)))


def test_a_pipeline_stopped_beforehand_gives_nothing_new():
    pipeline = Pipeline(count(), {"stage": lambda n: n})
    pipeline.stop()
    assert list(pipeline) == []


def test_leaving_early_closes_the_threads():
    items = iter(Pipeline(count(), {"stage": lambda n: n}))
    assert next(items) == 0
    items.close()


def test_each_stage_is_timed_once_an_item():
    pipeline = Pipeline(range(4), {"a": str, "b": str}, source_name="decode")
    list(pipeline)
    assert {name: len(times) for name, times in pipeline.times_ms.items()} == {
        "decode": 4,
        "a": 4,
        "b": 4,
    }
    assert all(time_ms >= 0 for times in pipeline.times_ms.values() for time_ms in times)


def test_a_closed_channel_wakes_a_sender_that_waits():
    channel = Channel(1)
    channel.put(0)
    ended = []

    def send():
        try:
            channel.put(1)
        except ChannelClosedError:
            ended.append(True)

    sender = threading.Thread(target=send)
    sender.start()
    channel.close()
    sender.join(LONG_S)
    assert ended == [True]
