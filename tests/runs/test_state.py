import json
from pathlib import Path

import pytest

from swiftseg.core import SwiftsegError
from swiftseg.runs.state import RunState, StoppedError


def written(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())


def test_a_run_says_that_it_runs_and_then_that_it_has_finished(tmp_path: Path):
    path = tmp_path / "state.json"
    with RunState(path, device="cpu"):
        assert written(path)["state"] == "running"
    assert written(path)["state"] == "finished"
    assert written(path)["device"] == "cpu"


@pytest.mark.parametrize(
    ("error", "state"),
    [(StoppedError("Ctrl-C"), "stopped"), (SwiftsegError("the loss is nan"), "failed")],
)
def test_a_run_says_how_it_ended(tmp_path: Path, error: SwiftsegError, state: str):
    path = tmp_path / "state.json"
    with pytest.raises(type(error)), RunState(path):
        raise error
    assert written(path)["state"] == state


def test_seconds_of_earlier_starts_count(tmp_path: Path):
    path = tmp_path / "state.json"
    path.write_text('{"state": "stopped", "host": "here", "pid": 1, "wall_seconds": 3600.0}')
    with RunState(path):
        pass
    assert 3600.0 <= float(str(written(path)["wall_seconds"])) < 3660.0


def lose_the_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("no folder any more")
    raise SwiftsegError("the disk is full")


def test_what_went_wrong_first_is_what_is_raised(tmp_path: Path):
    path = tmp_path / "run" / "state.json"
    with pytest.raises(SwiftsegError, match="the disk is full"), RunState(path):
        lose_the_folder(path)


def test_processes_beside_the_first_write_nothing(tmp_path: Path):
    with RunState(tmp_path / "state.json", enabled=False) as state:
        state.note("running")
    assert not list(tmp_path.iterdir())
