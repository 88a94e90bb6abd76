import re

import pytest

from swiftseg.core import progress
from swiftseg.core.progress import LateProgress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def count_to_three(clock, step_s):
    with LateProgress("images") as bar:
        bar.expect(3)
        for _ in range(3):
            clock[0] += step_s
            bar.advance()


def test_short_work_shows_no_bar(clock, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    count_to_three(clock, 0.3)
    assert capsys.readouterr() == ("", "")


def test_long_work_shows_a_bar_on_stderr(clock, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    count_to_three(clock, 0.6)
    out, err = capsys.readouterr()
    assert out == ""
    assert "images" in err
    assert "3/3" in err


def test_without_a_terminal_there_is_no_bar(clock, capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    count_to_three(clock, 60)
    assert capsys.readouterr() == ("", "")


def test_an_unknown_count_is_shown_as_such(clock, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with LateProgress("frames") as bar:
        bar.expect(2)
        bar.expect(None)
        bar.expect(5)
        clock[0] = 2
        bar.advance()
    assert "1/?" in capsys.readouterr().err


def test_a_note_stands_beside_the_count(clock, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with LateProgress("frames") as bar:
        bar.expect(2)
        clock[0] = 2
        bar.advance("23.4 fps, p95 51 ms")
    assert "1/2 23.4 fps, p95 51 ms" in re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
