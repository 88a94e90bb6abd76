import threading

from swiftseg.data.own.in_threads import in_threads


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
