"""A run that goes on: only where nothing is lost, and with more epochs where asked for."""

from pathlib import Path

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR, PolynomialLR

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.recipes.recipe import Schedule
from swiftseg.runs.state import StoppedError
from swiftseg.trained.checkpoint import load_checkpoint
from swiftseg.training.optimization import advance, build_schedule
from tests.support.tiny_training import run_tiny, stop_after, tiny_recipe

STEPS_PER_EPOCH = 3


def one_stage(epochs: int, schedule: str = "{name: poly}"):
    """Returns the tiny recipe with the second stage alone."""
    stage = f"{{name: full, network: enet, epochs: {epochs}, schedule: {schedule}}}"
    return tiny_recipe(f"stages=[{stage}]", "optimizer={name: sgd, lr: 0.01, momentum: 0.9}")


@pytest.mark.parametrize("gone", [("last.pt",), ("last.pt", "metrics.csv", "samples")])
def test_a_run_that_has_lost_its_last_checkpoint_is_refused(tmp_path: Path, gone: tuple[str, ...]):
    run, _ = run_tiny(tmp_path, one_stage(1))
    for name in gone:
        path = run.path / name
        path.rename(tmp_path / name)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with pytest.raises(SwiftsegError, match=r"cannot resume without last\.pt, and .*best\.pt"):
        run_tiny(tmp_path, one_stage(1), resume=True)
    after = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("schedule", ["{name: poly}", "{name: one_cycle}", "{name: constant}"])
def test_a_finished_run_goes_on_at_the_rate_of_a_longer_one(tmp_path: Path, schedule: str):
    run_tiny(tmp_path, one_stage(2, schedule))
    run, _ = run_tiny(tmp_path, one_stage(4, schedule), resume=True)
    longer, _ = run_tiny(tmp_path, one_stage(4, schedule), name="longer")
    ours, theirs = (load_checkpoint(found.last) for found in (run, longer))
    assert [epoch.epoch for epoch in ours.state.history] == [1, 2, 3, 4]
    rates = [[epoch.lr for epoch in found.state.history[2:]] for found in (ours, theirs)]
    assert rates[0] == pytest.approx(rates[1], rel=1e-9)
    assert ours.schedule["last_epoch"] == theirs.schedule["last_epoch"] == 4 * STEPS_PER_EPOCH
    groups = [found.optimizer["param_groups"][0] for found in (ours, theirs)]
    assert groups[0]["momentum"] == pytest.approx(groups[1]["momentum"])
    assert run.read_recipe() == ours.recipe == one_stage(4, schedule)


def test_a_stopped_run_goes_on_with_more_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with stop_after(4, monkeypatch), pytest.raises(StoppedError):
        run_tiny(tmp_path, one_stage(2))
    run, _ = run_tiny(tmp_path, one_stage(3), resume=True)
    assert [epoch.epoch for epoch in run.read_history()] == [1, 2, 3]


def test_fewer_epochs_than_are_done_are_refused(tmp_path: Path):
    run_tiny(tmp_path, one_stage(2))
    with pytest.raises(UsageError, match=r"stage full is in epoch 2 already; .* got 1"):
        run_tiny(tmp_path, one_stage(1), resume=True)


def test_a_stage_that_is_done_keeps_its_epochs(tmp_path: Path):
    run_tiny(tmp_path, tiny_recipe("stages.1.epochs=1", "stages.0.epochs=1"))
    with pytest.raises(UsageError, match="another recipe, which differs in stages"):
        run_tiny(tmp_path, tiny_recipe("stages.1.epochs=1", "stages.0.epochs=2"), resume=True)


def test_advancing_a_schedule_is_stepping_it():
    for name, plain in (
        ("poly", lambda optimizer: PolynomialLR(optimizer, 20, power=0.9)),
        ("one_cycle", lambda optimizer: OneCycleLR(optimizer, [0.1], 20, pct_start=0.3)),
    ):
        ours, theirs = (SGD([torch.zeros(1)], lr=0.1, momentum=0.9) for _ in range(2))
        schedule, expected = (
            build_schedule(Schedule(name=name), ours, epochs=5, steps_per_epoch=4),
            plain(theirs),
        )
        advance(schedule, 7)
        for _ in range(7):
            theirs.step()
            expected.step()
        for key in ("lr", "momentum"):
            assert ours.param_groups[0][key] == pytest.approx(theirs.param_groups[0][key]), key


def test_a_kill_between_checkpoint_and_metrics_loses_no_epoch(tmp_path: Path):
    run, _ = run_tiny(tmp_path)
    whole = run.read_history()
    run.write_history(whole[:-1])  # as if killed before the second file
    run_tiny(tmp_path, resume=True)
    assert run.read_history() == whole
