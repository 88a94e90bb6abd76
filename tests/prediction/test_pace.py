import pytest

from swiftseg.prediction.pace import Pace


def test_an_even_pace():
    pace = Pace()
    for n in range(11):
        pace.tick(5 + n / 20)
    assert pace.fps == pytest.approx(20)
    assert pace.p95_ms == pytest.approx(50)
    assert pace.recent() == "20.0 fps, p95 50 ms"


def test_the_text_looks_back_on_the_last_frames_alone():
    pace = Pace()
    for n in range(50):
        pace.tick(float(n))
    for n in range(1, 101):
        pace.tick(49 + n / 10)
    assert pace.recent() == "10.0 fps, p95 100 ms"
    assert pace.fps == pytest.approx(149 / 59)
    assert pace.p95_ms == pytest.approx(1000)  # a third of the frames took a second


@pytest.mark.parametrize("ticks", [0, 1])
def test_before_the_second_frame_there_is_none(ticks):
    pace = Pace()
    for _ in range(ticks):
        pace.tick(1.0)
    assert (pace.fps, pace.p95_ms, pace.recent()) == (None, None, "")
