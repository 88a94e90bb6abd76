"""Two processes at one run folder."""

import json
import os
import platform
from pathlib import Path

import psutil
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.runs import RunFolder
from swiftseg.runs.writer import Writer
from tests.support.run_lock import holding_lock


def lock(folder: Path) -> Path:
    [path] = folder.glob(".lock*")
    return path


def test_a_second_process_is_refused_by_host_and_number_until_the_first_ends(tmp_path: Path):
    run = RunFolder(tmp_path / "run")
    with holding_lock(run.path) as process:
        with pytest.raises(SwiftsegError) as caught, run.locked():
            pass
        told = f"process {process.pid} on {platform.node()} is training into this folder"
        assert told in str(caught.value)
        assert str(caught.value).startswith(str(run.path))
        assert "\n" not in str(caught.value)
        process.communicate("\n")
    with run.locked():
        assert lock(run.path).exists()
    assert not list(run.path.iterdir())


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path):
    run = RunFolder(tmp_path / "run")
    with holding_lock(run.path) as process:
        process.kill()
        process.wait()
        left = lock(run.path).read_text()
        with run.locked():
            assert json.loads(left)["pid"] == process.pid
            assert json.loads(lock(run.path).read_text())["pid"] == os.getpid()
    assert not list(run.path.iterdir())


def test_the_number_of_a_gone_process_given_to_another_is_no_lock(tmp_path: Path):
    started = psutil.Process().create_time() - 3600
    earlier = Writer(host=platform.node(), pid=os.getpid(), started=started)
    (tmp_path / ".lock").write_text(earlier.model_dump_json())
    with RunFolder(tmp_path).locked():
        pass


def test_another_machines_lock_is_refused_with_the_way_to_remove_it(tmp_path: Path):
    path = tmp_path / ".lock"
    path.write_text(Writer(host="elsewhere", pid=7, started=1.0).model_dump_json())
    with pytest.raises(SwiftsegError) as caught, RunFolder(tmp_path).locked():
        pass
    assert "process 7 on elsewhere" in str(caught.value)
    assert str(caught.value).endswith(f"remove {path}")
    assert path.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"host": 1}'])
def test_a_damaged_lock_is_refused_with_the_way_to_remove_it(tmp_path: Path, content: str):
    path = tmp_path / ".lock"
    path.write_text(content)
    with pytest.raises(SwiftsegError, match="its lock is damaged") as caught:
        RunFolder(tmp_path).locked().__enter__()
    assert str(caught.value).endswith(f"remove {path}")


def test_a_lock_that_a_kill_has_cut_off_stops_nobody(tmp_path: Path):
    (tmp_path / "..lock-0123abcd").write_text('{"host"')
    with RunFolder(tmp_path).locked():
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_lock_is_taken_over_by_one_alone(tmp_path: Path):
    gone = Writer(host=platform.node(), pid=2**22 + 1)
    (tmp_path / ".lock").write_text(gone.model_dump_json())
    (tmp_path / ".lock-takeover").touch()
    with pytest.raises(SwiftsegError, match="another process is taking over its lock"):
        RunFolder(tmp_path).locked().__enter__()


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SwiftsegError, match="cannot write"):
        RunFolder(tmp_path / "file").locked().__enter__()
    with pytest.raises(SwiftsegError, match="cannot write"):
        RunFolder(tmp_path / "file" / "run").locked().__enter__()
