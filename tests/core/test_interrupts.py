import signal
import subprocess
import sys
import threading

import pytest

from swiftseg.core import interrupts
from swiftseg.core.interrupts import first_interrupt_stops


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


STOPPED = """
import signal, sys
from swiftseg.core.interrupts import first_interrupt_stops, stop_signals_raise
number = getattr(signal, sys.argv[1])
signal.signal(number, signal.SIG_DFL)  # what runs in the background ignores some
stopped = []
with first_interrupt_stops() as interrupt:
    interrupt.stop = lambda: stopped.append(True)
    signal.raise_signal(number)
try:
    with stop_signals_raise():
        signal.raise_signal(number)
except KeyboardInterrupt:
    print("raised", len(stopped))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_every_stop_signal_is_a_ctrl_c(name):
    command = [sys.executable, "-c", STOPPED, name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "raised 1\n", "")


def test_what_is_ignored_stays_ignored():
    script = (
        "import signal\nfrom swiftseg.core.interrupts import stop_signals_raise\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with stop_signals_raise():\n    signal.raise_signal(signal.SIGHUP)\nprint('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "alive\n")
