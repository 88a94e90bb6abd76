"""A search on tiny frames: what a trial trains is what `swiftseg train` trains."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from swiftseg.runs import RunFolder
from swiftseg.trained import load_checkpoint
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import OVERRIDES

pytestmark = pytest.mark.slow

RUN = "from swiftseg.cli.main import main; main()"
PATIENCE_S = 300


def command(*arguments):
    chosen = [part for override in OVERRIDES for part in ("--set", override)]
    return [sys.executable, "-c", RUN, *arguments, *chosen]


def search_command(*arguments):
    found = ("tune", "enet_camvid", "--data", "camvid", "--space", "space.yaml", "--out", "search")
    return command(*found, *arguments)


def run(folder, parts):
    return subprocess.run(parts, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.fixture
def folder(tmp_path):
    make_tiny_camvid(tmp_path / "camvid")
    (tmp_path / "space.yaml").write_text("optimizer.lr: [0.0005, 0.02]\n")
    return tmp_path


def trials(folder):
    return json.loads((folder / "search/tune.json").read_text())["trials"]


def test_every_combination_is_trained_as_the_command_trains_it(folder):
    done = run(folder, search_command("--workers", "2"))
    assert done.returncode == 0, done.stderr
    assert "Ray" not in done.stderr
    assert [trial["values"] for trial in trials(folder)] == [
        {"optimizer.lr": 0.0005},
        {"optimizer.lr": 0.02},
    ]
    finished = [trial for trial in trials(folder) if trial["state"] == "done"]
    assert finished
    number, values = finished[0]["number"], finished[0]["values"]
    alone = ("train", "enet_camvid", "--data", "camvid", "--out", "alone")
    rate = f"optimizer.lr={values['optimizer.lr']}"
    trained = run(folder, command(*alone, "--set", rate))
    assert trained.returncode == 0, trained.stderr
    [*_, expected] = RunFolder(folder / "alone").read_history()
    [*_, found] = RunFolder(folder / f"search/trial_{number:03d}").read_history()
    assert found.epoch == expected.epoch
    # Threads differ, and with them the order of sums.
    assert found.loss == pytest.approx(expected.loss, rel=1e-2)

    again = run(folder, search_command())
    assert again.returncode == 2
    assert again.stderr == "error: search: holds a search already; continue it with --resume\n"


def test_a_search_that_is_killed_goes_on_with_the_same_trials(folder):
    with subprocess.Popen(search_command(), cwd=folder, start_new_session=True) as killed:
        last = folder / "search/trial_000/last.pt"
        while not last.exists():
            with suppress(subprocess.TimeoutExpired):
                killed.wait(0.05)
            assert killed.returncode is None
        os.killpg(killed.pid, signal.SIGKILL)
    before = [trial["values"] for trial in trials(folder)]
    other = run(folder, [*search_command("--resume"), "--set", "seed=3"])
    assert other.returncode == 2
    assert "give the same to continue" in other.stderr
    done = run(folder, search_command("--resume"))
    assert done.returncode == 0, done.stderr
    assert [trial["values"] for trial in trials(folder)] == before
    assert all(trial["state"] in ("done", "stopped early") for trial in trials(folder))


def test_trials_are_scored_on_the_group_that_is_held_out(folder):
    camvid = folder / "camvid"
    for path in [*camvid.glob("train/*_00000[45].png"), *camvid.glob("trainannot/*_00000[45].png")]:
        path.rename(path.with_name(path.name.replace("0001TP", "0016E5")))
    shutil.rmtree(camvid / "val")  # nothing but the group can be scored on
    shutil.rmtree(camvid / "valannot")
    (folder / "space.yaml").write_text("optimizer.lr: [0.0005]\n")
    done = run(folder, search_command("--hold-out", "0016E5"))
    assert done.returncode == 0, done.stderr
    [trial] = trials(folder)
    best = load_checkpoint(folder / "search/trial_000/best.pt")
    assert best.recipe.hold_out == "0016E5"
    assert trial["mean_iou"] == max(
        epoch.val_mean_iou for epoch in best.state.history if epoch.val_mean_iou is not None
    )

    shutil.copytree(camvid, folder / "copy")
    hold_out = ("--resume", "--hold-out", "0016E5")
    for changed, what in (
        (["--resume"], "--set or --hold-out"),
        ([*hold_out, "--data", "copy"], "--data"),
        ([*hold_out, "--weights", "enet-toystreet"], "--weights"),
    ):
        refused = run(folder, search_command(*changed))
        assert refused.returncode == 2, refused.stderr
        assert f"with another {what}; give the same to continue" in refused.stderr


def test_a_trial_that_fails_costs_itself_alone(folder):
    (folder / "space.yaml").write_text("optimizer.lr: [0.0005, 1.0e+30]\n")
    done = run(folder, search_command())
    assert done.returncode == 0, done.stderr
    good, bad = trials(folder)
    assert (good["state"], bad["state"]) == ("done", "failed")
    assert bad["error"].startswith("the loss is nan")


def test_a_value_that_no_recipe_takes_is_refused_before_anything_starts(folder):
    (folder / "space.yaml").write_text("optimizer.speed: [1]\n")
    done = run(folder, search_command())
    assert done.returncode == 2
    assert "unknown key 'speed'" in done.stderr
    assert not (folder / "search").exists()


def test_no_search_has_begun_where_no_cluster_answers(folder):
    done = run(folder, search_command("--address", "127.0.0.1:1"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Ray cluster answers at 127.0.0.1:1 (")
    assert not (folder / "search/tune.json").exists()
