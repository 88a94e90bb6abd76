import signal
import threading

import pytest

from swiftseg.prediction import interrupts
from swiftseg.prediction.interrupts import first_interrupt_stops


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


def test_the_first_one_stops_and_one_much_later_raises(monkeypatch):
    now_s = [100.0]
    monkeypatch.setattr(interrupts, "monotonic", lambda: now_s[0])
    stopped = []
    with first_interrupt_stops() as interrupt:
        assert not interrupt.came
        interrupt.stop = lambda: stopped.append(True)
        ctrl_c()
        assert (interrupt.came, stopped) == (True, [True])
        now_s[0] += 0.3  # pressed twice
        ctrl_c()
        now_s[0] += 10
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
    assert stopped == [True]


def test_with_nothing_to_stop_it_raises():
    with first_interrupt_stops() as interrupt:
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        assert not interrupt.came


def test_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGINT)
    with first_interrupt_stops():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_changes_nothing():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with first_interrupt_stops() as interrupt:
            seen.append((signal.getsignal(signal.SIGINT), interrupt.came))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
