from swiftseg.benchmarking.timing import FEWEST_REPEATS, MOST_REPEATS, measure_ms, repeat


def test_the_warm_up_is_called_and_left_out():
    calls: list[int] = []

    def call() -> int:
        calls.append(len(calls))
        return calls[-1]

    results = repeat(call, seconds=0.0)

    assert results == calls[1:]
    assert len(results) == FEWEST_REPEATS


def test_a_quick_call_is_not_repeated_for_ever():
    assert len(repeat(int, seconds=60.0)) == MOST_REPEATS


def test_times_are_milliseconds():
    times_ms = measure_ms(lambda: sum(range(1000)), seconds=0.0)
    assert all(0 < time_ms < 1000 for time_ms in times_ms)
