"""A training on several devices, as the command starts it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import torch
import yaml
from torch import nn

from swiftseg.data import open_dataset
from swiftseg.evaluation import evaluate
from swiftseg.models import create_model
from swiftseg.recipes import Recipe
from swiftseg.trained.checkpoint import load_checkpoint
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import run_tiny, tiny_recipe


def recipe_without_batch_statistics() -> Recipe:
    """Freezes what depends on which frames share a device: batch norm's statistics and dropout."""
    modules = create_model("fast_scnn", num_classes=11).named_modules()
    frozen = [name for name, m in modules if isinstance(m, nn.BatchNorm2d | nn.Dropout)]
    stage = {
        "name": "full",
        "network": "fast_scnn",
        "epochs": 2,
        "freeze": frozen,
        "schedule": {"name": "poly"},
    }
    return tiny_recipe(
        f"stages={[stage]}",
        "input.size_hw=[64, 64]",
        "batch_size=4",
        "ema=0.5",
        "augmentation={scale: [0.8, 1.2], horizontal_flip: 0.5, brightness: 0.2}",
        "optimizer={name: sgd, lr: 0.01, momentum: 0.9, max_gradient_norm: 1.0}",
        "class_weights={name: median_frequency}",
    )


def test_two_processes_give_the_weights_of_one(tmp_path: Path):
    """Same total batch, same weights to float tolerance, and each frame of val counted once.

    True as far as a frame's gradient depends on that frame alone. Batch normalization takes its
    statistics over the frames of one device (over all devices' with `sync_batch_norm`, which needs
    GPUs) and dropout draws on each device, so both are frozen here; with them two processes train
    as well, and differently. An odd number of frames in val would show one counted twice.
    """
    data = make_tiny_camvid(tmp_path / "camvid", frames={"train": 8, "val": 3})
    recipe = recipe_without_batch_statistics()
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    command = [sys.executable, "-m", "swiftseg", "train", str(path), "--data", str(data)]
    command += ["--out", str(tmp_path / "two"), "--processes", "2"]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    one, _ = run_tiny(tmp_path, recipe, name="one")
    ours, theirs = load_checkpoint(tmp_path / "two" / "last.pt"), load_checkpoint(one.last)
    for part in ("network", "averaged"):
        # The order of a float32 sum over pixels is all that differs.
        torch.testing.assert_close(getattr(ours, part), getattr(theirs, part), rtol=1e-3, atol=1e-5)
    name = "classifier.3.weight"
    assert not torch.equal(ours.network[name], ours.averaged[f"module.{name}"]), "it has learned"
    evaluation = evaluate(tmp_path / "two" / "best.pt", open_dataset(data, "val"))
    assert evaluation.frames == 3
    with (tmp_path / "two" / "metrics.csv").open(newline="") as file:
        scores = [float(row["val/mean_iou"]) for row in csv.DictReader(file)]
    assert evaluation.scores.mean_iou == max(scores)
