"""A training stops between two steps, whatever asks it to."""

import signal

import pytest

from swiftseg.core.interrupts import STOP_SIGNALS
from swiftseg.training.stopping import StopRequest


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_first_stop_signal_is_noted(number: int):
    before = [signal.getsignal(kind) for kind in STOP_SIGNALS]
    with StopRequest() as request:
        signal.raise_signal(number)
        assert request.made
        assert [signal.getsignal(kind) for kind in STOP_SIGNALS] == before  # a second one ends it


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no hang-ups")
def test_hang_ups_that_nohup_ignores_stay_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as request:
            signal.raise_signal(signal.SIGHUP)
            assert not request.made
    finally:
        signal.signal(signal.SIGHUP, before)
