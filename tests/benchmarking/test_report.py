import json
from pathlib import Path

import pytest

from benchmarks.speed_report import Goal, load_report
from swiftseg.benchmarking.benchmark_report import Spread
from swiftseg.core import SwiftsegError
from tests.support.reports import report


def test_a_spread_is_taken_over_all_passes():
    spread = Spread.of([[1.0, 2.0, 3.0], [5.0]])
    assert (spread.p50_ms, spread.samples) == (2.5, 4)
    assert spread.pass_medians_ms == [2.0, 5.0]
    assert spread.p50_ms <= spread.p95_ms <= spread.p99_ms <= 5.0


def test_a_saved_report_is_read_back(tmp_path: Path):
    path = tmp_path / "results/one.json"
    report().save(path)
    assert load_report(path) == report()
    assert json.loads(path.read_text())["schema_version"] == 1


def test_a_report_of_another_version_is_refused(tmp_path: Path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps({**json.loads(report().model_dump_json()), "schema_version": 2}))
    with pytest.raises(SwiftsegError, match=r"one.json: no benchmark report \(schema_version"):
        load_report(path)


def test_what_is_no_report_is_refused(tmp_path: Path):
    path = tmp_path / "one.json"
    path.write_text("[]")
    with pytest.raises(SwiftsegError, match="no benchmark report"):
        load_report(path)
    with pytest.raises(SwiftsegError, match="cannot read"):
        load_report(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("measured", "higher_is_better", "verdict"),
    [
        (1.0, True, "missed"),
        (2.0, True, "must"),
        (4.0, True, "goal"),
        (None, True, "not measured"),
        (5.0, False, "missed"),
        (1.0, False, "goal"),
    ],
)
def test_a_goal_is_judged(measured: float | None, higher_is_better: bool, verdict: str):
    must, goal = (2, 4) if higher_is_better else (4, 2)
    found = Goal(
        what="it",
        unit="times",
        higher_is_better=higher_is_better,
        must=must,
        goal=goal,
        measured=measured,
    )
    assert found.verdict == verdict


def test_without_its_conditions_nothing_is_reached():
    found = Goal(
        what="it",
        unit="times",
        higher_is_better=True,
        must=2,
        goal=4,
        measured=5.0,
        conditions_hold=False,
    )
    assert found.verdict == "missed"
