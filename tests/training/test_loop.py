import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.models import create_model
from swiftseg.runs import best_epoch
from swiftseg.runs.state import StoppedError
from swiftseg.trained import load_trained
from swiftseg.trained.checkpoint import load_checkpoint
from swiftseg.training import frames as frames_module
from swiftseg.training import validation
from swiftseg.training.frames import epoch_batches
from swiftseg.training.stage import StageTraining
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import run_tiny, stop_after, tiny_recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went through without a stop."""
    folder = tmp_path_factory.mktemp("finished")
    run_tiny(folder)
    return folder / "run"


def test_a_run_leaves_what_a_person_looks_for(finished: Path):
    with (finished / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["stage"], row["epoch"]) for row in rows] == [
        ("encoder", "1"),
        ("full", "1"),
        ("full", "2"),
    ]
    assert all(0 <= float(row["val/mean_iou"]) <= 1 for row in rows)
    assert json.loads((finished / "environment.json").read_text())["command"].startswith("swiftseg")
    assert {p.name for p in finished.iterdir()} >= {
        "best.pt", "best_encoder.pt", "last.pt", "recipe.yaml", "tensorboard", "samples",
    }  # fmt: skip
    with Image.open(finished / "samples" / "full_0002.png") as picture:
        assert picture.size == (3 * 32, 2 * 24)
    assert not [p for p in finished.rglob(".*") if p.is_file()]


def test_tensorboard_has_one_writer_a_stage_with_pictures(finished: Path):
    files = sorted((finished / "tensorboard").rglob("events*"))
    assert [file.parent.name for file in files] == ["encoder", "full"]
    log = EventAccumulator(str(files[1].parent)).Reload()
    assert [event.step for event in log.Scalars("loss")] == [1, 2]
    assert "val/mean_iou" in log.Tags()["scalars"]
    assert [(image.width, image.height) for image in log.Images("samples")] == [(96, 48)] * 2


def test_best_is_the_best_of_the_epochs(finished: Path):
    best = load_checkpoint(finished / "best.pt")
    epochs = load_checkpoint(finished / "last.pt").state.history[1:]
    assert best.state.history[-1] == best_epoch(epochs, "mean_iou")
    scores = [epoch.val_mean_iou for epoch in epochs]
    assert best.state.history[-1].val_mean_iou == max(scores)
    assert not best.optimizer


@pytest.mark.parametrize("steps", [1, 3, 4, 7])
def test_stop_and_resume_gives_the_same_bits(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
):
    with stop_after(steps, monkeypatch), pytest.raises(StoppedError, match="train --resume"):
        run_tiny(tmp_path)
    run_tiny(tmp_path, resume=True)
    for name in ("best.pt", "last.pt"):
        ours = load_checkpoint(tmp_path / "run" / name)
        theirs = load_checkpoint(finished / name)
        for key, tensor in theirs.network.items():
            assert torch.equal(ours.network[key], tensor), f"{name}: {key}"
        losses = [[epoch.loss for epoch in found.state.history] for found in (ours, theirs)]
        assert losses[0] == losses[1]


def test_the_second_stage_fills_every_encoder_tensor_and_no_decoder_tensor(
    finished: Path, monkeypatch: pytest.MonkeyPatch
):
    encoder = load_checkpoint(finished / "best_encoder.pt")
    full = create_model("enet", num_classes=11)
    fresh = {name: tensor.clone() for name, tensor in full.state_dict().items()}
    training = object.__new__(StageTraining)
    training.network, training.recipe, training.stage = (
        full,
        encoder.recipe,
        encoder.recipe.stages[1],
    )
    training.averaged = None
    training.fill(encoder.network, "the best of encoder")
    for name, tensor in full.state_dict().items():
        source = encoder.network if name.startswith("encoder.") else fresh
        assert torch.equal(tensor, source[name]), name


def test_resume_refuses_another_recipe_and_an_empty_folder(finished: Path):
    with pytest.raises(UsageError, match="another recipe, which differs in optimizer"):
        run_tiny(finished.parent, tiny_recipe("optimizer.lr=0.1"), resume=True)
    with pytest.raises(UsageError, match="nothing to resume"):
        run_tiny(finished.parent, resume=True, name="empty")


def test_a_folder_with_a_run_is_not_overwritten(finished: Path):
    before = (finished / "best.pt").read_bytes()
    with pytest.raises(SwiftsegError, match="holds a run already"):
        run_tiny(finished.parent)
    assert (finished / "best.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("num_classes=12", "recipe has 12 classes where the data has 11"),
        ("batch_size=7", "a batch of 7 is larger than the data of 6 frames"),
        ("optimizer.lr=1.0e30", "the loss is .* lower optimizer.lr"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, override: str, message: str):
    with pytest.raises(SwiftsegError, match=message):
        run_tiny(tmp_path, tiny_recipe(override))


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_class_beyond_the_recipe_is_said_with_its_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
):
    """In one line, also when a reader process comes upon it."""
    if not in_memory:
        monkeypatch.setattr(frames_module, "MEMORY_LIMIT_BYTES", 0)
    camvid = make_tiny_camvid(tmp_path / "camvid")
    mask = camvid / "trainannot" / "0001TP_000003.png"
    Image.fromarray(np.full((24, 32), 13, np.uint8)).save(mask)
    with pytest.raises(SwiftsegError) as caught:
        run_tiny(tmp_path, tiny_recipe("class_weights=null"))
    assert str(caught.value).startswith(f"{mask}: ")
    assert "13" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_compiler_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SwiftsegError, match=r"'no-such-compiler'.*compile=false"):
        run_tiny(tmp_path, tiny_recipe("compile=true"))
    assert not (tmp_path / "run").exists()


def test_batches_hold_every_frame_once_and_differ_by_epoch():
    first = epoch_batches(25, 4, (0, 0, 0))
    assert [len(batch) for batch in first] == [4] * 6
    flat = [index for batch in first for index in batch]
    assert len(set(flat)) == len(flat) == 24
    assert first == epoch_batches(25, 4, (0, 0, 0))
    assert first != epoch_batches(25, 4, (0, 0, 1))


def test_frames_are_resized_to_the_recipe(tmp_path: Path):
    _, evaluation = run_tiny(tmp_path, tiny_recipe("input.size_hw=[16, 40]", "stages.1.epochs=1"))
    # Scored at label size: 2 frames of 24x32 less a row of void each.
    assert int(np.sum(evaluation.matrix)) == 2 * 23 * 32


EVERYTHING = (
    "ema=0.9",
    "augmentation={scale: [0.8, 1.2], horizontal_flip: 0.5, brightness: 0.2}",
    "optimizer={name: sgd, lr: 0.01, momentum: 0.9, max_gradient_norm: 1.0}",
    "stages.1.schedule={name: poly, warmup_steps: 2}",
    "loss={name: ohem}",
    "class_weights={name: median_frequency}",
    "best=loss",
)


def test_stop_and_resume_with_average_augmentation_and_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe = tiny_recipe(*EVERYTHING)
    run_tiny(tmp_path, recipe, name="through")
    with stop_after(5, monkeypatch), pytest.raises(StoppedError):
        run_tiny(tmp_path, recipe, name="stopped")
    run_tiny(tmp_path, recipe, name="stopped", resume=True)
    for name in ("best.pt", "last.pt"):
        ours, theirs = (load_checkpoint(tmp_path / run / name) for run in ("stopped", "through"))
        for part in ("network", "averaged"):
            for key, tensor in getattr(theirs, part).items():
                assert torch.equal(getattr(ours, part)[key], tensor), f"{name}: {part} {key}"
        scores = [[epoch.val_loss for epoch in found.state.history] for found in (ours, theirs)]
        assert scores[0] == scores[1]


def test_averaged_weights_are_the_ones_kept(tmp_path: Path):
    run, _ = run_tiny(tmp_path, tiny_recipe("ema=0.9", "stages.1.epochs=1"))
    best, last = load_checkpoint(run.best), load_checkpoint(run.last)
    name = "encoder.initial.conv.weight"
    assert torch.equal(best.network[name], last.averaged[f"module.{name}"])
    assert not torch.equal(best.network[name], last.network[name])


def test_the_history_keeps_a_stages_epochs_after_its_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(validation, "_is_best", lambda _, epoch: epoch.epoch == 1)
    recipe = tiny_recipe("stages.0.epochs=3", "stages.1.epochs=1")
    run, _ = run_tiny(tmp_path, recipe)
    assert load_checkpoint(run.stage_best(recipe, 0)).state.epoch == 1
    told = [(epoch.stage, epoch.epoch) for epoch in run.read_history()]
    assert told == [("encoder", 1), ("encoder", 2), ("encoder", 3), ("full", 1)]


def test_early_stopping_ends_a_stage(tmp_path: Path):
    recipe = tiny_recipe(
        "stages.1.epochs=50", "optimizer.lr=1.0e-12", "early_stopping={start: 2, patience: 1}"
    )
    run, _ = run_tiny(tmp_path, recipe)
    assert load_checkpoint(run.last).state.epoch < 50


@pytest.mark.parametrize(
    ("network", "loss"),
    [
        ("fast_scnn", "{aux_weight: 0.4}"),
        ("shelfnet50", "{aux_weight: 0.5, presence_weight: 0.2}"),
    ],
)
def test_training_heads_are_trained(tmp_path: Path, network: str, loss: str):
    stage = (
        f"stages=[{{name: full, network: {network}, options: {{aux_heads: true}}, epochs: 1, "
        "schedule: {name: constant}}]"
    )
    run, evaluation = run_tiny(
        tmp_path, tiny_recipe(stage, f"loss={loss}", "input.size_hw=[64, 64]", "stages.0.epochs=1")
    )
    assert 0 <= evaluation.scores.mean_iou <= 1
    assert any("head" in name for name in load_checkpoint(run.best).network)


def rename_frames(camvid: Path, names: Sequence[str]) -> None:
    for folder in ("train", "trainannot"):
        paths = sorted((camvid / folder).iterdir())
        for path, name in zip(paths, names, strict=True):
            path.rename(path.with_name(f"{name}.png"))


def test_a_group_is_held_out_and_scored_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    camvid = make_tiny_camvid(tmp_path / "camvid")
    rename_frames(
        camvid,
        [*(f"0001TP_{index:06d}" for index in range(10, 14)), "0016E5_000000", "0016E5_000001"],
    )
    for name in ("0016E5_000000", "0016E5_000001"):
        shutil.rmtree(camvid / "val", ignore_errors=True)  # nothing but the group is scored on
        Image.fromarray(np.full((24, 32), 4, np.uint8)).save(camvid / "trainannot" / f"{name}.png")
    run, evaluation = run_tiny(tmp_path, tiny_recipe("hold_out='0016E5'"))
    assert evaluation.frames == 2
    assert np.flatnonzero(evaluation.matrix.sum(axis=1)).tolist() == [4]
    best = load_checkpoint(run.best)
    assert best.recipe.hold_out == "0016E5"
    scores = best.state.history[-1].scores()
    assert {name for name in scores if "mean_iou" in name} == {"held_out/mean_iou"}
    spec = load_trained(run.best)[1]
    assert spec.training_data.endswith(", without 0016E5")
    assert set(spec.metrics) == {
        f"held_out/{name}" for name in ("mean_iou", "mean_class_accuracy", "global_accuracy")
    }


def test_void_as_a_class(tmp_path: Path):
    _, evaluation = run_tiny(tmp_path, tiny_recipe("num_classes=12", "void_as_class=true"))
    assert evaluation.labels.names[-1] == "void"
    assert int(np.sum(evaluation.matrix)) == 2 * 24 * 32


def test_validation_frames_of_nothing_but_void_are_said_in_the_first_epoch(tmp_path: Path):
    camvid = make_tiny_camvid(tmp_path / "camvid")
    for mask in (camvid / "valannot").iterdir():
        Image.fromarray(np.full((24, 32), 11, np.uint8)).save(mask)
    with pytest.raises(SwiftsegError, match="validation frames are void"):
        run_tiny(tmp_path)
