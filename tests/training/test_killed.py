"""A training that dies at any moment leaves what it had, and goes on to the very same weights."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from swiftseg.recipes import Recipe
from swiftseg.runs import Epoch, RunFolder
from swiftseg.trained.checkpoint import Checkpoint, load_checkpoint
from tests.support.killed_training import command_without_room, killed_training
from tests.support.tiny_training import run_tiny, tiny_recipe

STEPS_PER_EPOCH = 3


def recipe_with_state() -> Recipe:
    """Two stages with all that a resume must restore: dropout, momentum, average, schedule, draws.

    A first epoch of one stage and two of the next are nine steps and, with a new best in every
    epoch, six saves; the last checkpoint is every other of these.
    """
    stages = (
        "stages=[{name: first, network: fast_scnn, epochs: 1, schedule: {name: constant}}, "
        "{name: full, network: fast_scnn, epochs: 2, schedule: {name: poly, warmup_steps: 2}}]"
    )
    return tiny_recipe(
        stages,
        "input.size_hw=[64, 64]",
        "ema=0.9",
        "augmentation={scale: [0.8, 1.2], horizontal_flip: 0.5, brightness: 0.2}",
        "optimizer={name: adam, lr: 0.001}",
        "class_weights={name: median_frequency}",
    )


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing has stopped."""
    folder = tmp_path_factory.mktemp("through")
    run_tiny(folder, recipe_with_state())
    return folder / "run"


def assert_same_run(ours: Path, theirs: Path) -> None:
    for name in ("best_first.pt", "best.pt", "last.pt"):
        assert_same_state(load_checkpoint(ours / name), load_checkpoint(theirs / name))


def assert_same_state(ours: Checkpoint, theirs: Checkpoint) -> None:
    for part in ("network", "averaged", "optimizer", "schedule", "rng"):
        # Bit for bit: both ran the same operations on the same CPU.
        torch.testing.assert_close(
            getattr(ours, part), getattr(theirs, part), rtol=0, atol=0, equal_nan=True
        )
    for part in ("stage", "epoch", "step"):
        assert getattr(ours.state, part) == getattr(theirs.state, part), part
    assert timeless(ours) == timeless(theirs)


def timeless(checkpoint: Checkpoint) -> list[Epoch]:
    """Return the epochs without what depends on the time of day."""
    history = checkpoint.state.history
    return [replace(epoch, images_per_second=None, wait_share=None) for epoch in history]


@pytest.mark.parametrize("steps", [2, STEPS_PER_EPOCH + 1, 8])
def test_a_run_killed_between_steps_resumes_to_the_same_bits(
    through: Path, tmp_path: Path, steps: int
):
    recipe = recipe_with_state()
    assert killed_training(tmp_path, recipe, steps=steps) == -signal.SIGKILL
    run_tiny(tmp_path, recipe, resume=True)
    assert_same_run(tmp_path / "run", through)


@pytest.mark.parametrize("saves", [1, 3, 4])
def test_a_run_killed_within_a_save_leaves_only_whole_checkpoints(
    through: Path, tmp_path: Path, saves: int
):
    recipe = recipe_with_state()
    assert killed_training(tmp_path, recipe, saves=saves) == -signal.SIGKILL
    run = tmp_path / "run"
    for path in run.glob("[!.]*.pt"):
        load_checkpoint(path)
    assert (run / "last.pt").exists() == (saves > 2)
    assert list(run.glob(".*.pt")), "it was killed in the middle"
    run_tiny(tmp_path, recipe, resume=True)
    assert_same_run(run, through)
    assert not list(run.glob(".*.pt"))


def test_a_run_killed_before_its_last_row_of_metrics_gets_it_by_a_resume(
    through: Path, tmp_path: Path
):
    recipe, run = recipe_with_state(), RunFolder(tmp_path / "run")
    assert killed_training(tmp_path, recipe, histories=3) == -signal.SIGKILL
    assert len(load_checkpoint(run.last).state.history) == 3
    assert len(run.read_history()) == 2
    run_tiny(tmp_path, recipe, resume=True)
    assert [epoch.epoch for epoch in run.read_history()] == [
        epoch.epoch for epoch in RunFolder(through).read_history()
    ]
    assert_same_run(run.path, through)


def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(through: Path, tmp_path: Path):
    recipe = recipe_with_state()
    killed_training(tmp_path, recipe, steps=STEPS_PER_EPOCH + 1)
    run, told = tmp_path / "run", tmp_path / "stderr.txt"
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    before = (run / "last.pt").read_bytes()
    best_bytes = (run / "best_first.pt").stat().st_size
    arguments = ["train", str(path), "--data", str(tmp_path / "camvid"), "--out", str(run)]
    # Room for the weights alone, and not for what a resume needs beside them.
    code = command_without_room([*arguments, "--resume"], 2 * best_bytes, told)
    lines = [line for line in told.read_text().splitlines() if line.startswith("error: ")]
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"error: cannot write {run / 'last.pt'}: File too large; ")
    assert lines[0].endswith("make room, then continue with the same command and --resume")
    assert "Traceback" not in told.read_text()
    assert (run / "last.pt").read_bytes() == before
    run_tiny(tmp_path, recipe, resume=True)
    assert_same_run(run, through)
