"""The README's way, on tiny frames: train, export, segment and score from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.trained.checkpoint import load_checkpoint
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import OVERRIDES

SETTINGS = [part for override in OVERRIDES for part in ("--set", override)]


def swiftseg(*arguments: object, cwd: Path) -> str:
    """Runs the command line in a process of its own; gives what it prints."""
    command = [sys.executable, "-m", "swiftseg", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a run of two processes."""
    folder = tmp_path_factory.mktemp("e2e")
    make_tiny_camvid(folder / "camvid")
    train = ["train", "enet_camvid", "--data", "camvid", "--out", "run", "--processes", 2]
    swiftseg(*train, *SETTINGS, cwd=folder)
    return folder


def test_two_processes_train_one_run(folder: Path):
    last = load_checkpoint(folder / "run" / "last.pt")
    assert [epoch.stage for epoch in last.state.history] == ["encoder", "full", "full"]
    assert (folder / "run" / "metrics.csv").read_text().count("\n") == 4


def test_the_exported_run_labels_and_scores_as_the_checkpoint_does(folder: Path):
    swiftseg("export", "run/best.pt", "--out", "model.onnx", cwd=folder)
    predict = ["predict", "camvid/val", "--model", "model.onnx", "--out", "labels", "--json"]
    summary = json.loads(swiftseg(*predict, cwd=folder))
    assert (len(summary["results"]), summary["errors"]) == (2, [])
    with Image.open(folder / "labels" / "labels" / "0001TP_000000.png") as picture:
        assert picture.mode == "P"
        assert np.asarray(picture).shape == (24, 32)
        assert np.asarray(picture).max() <= 10
    evaluate = ["--data", "camvid", "--split", "val", "--json"]
    scores = [
        json.loads(swiftseg("evaluate", model, *evaluate, cwd=folder))["mean_iou"]
        for model in ("model.onnx", "run/best.pt")
    ]
    # Of 1472 pixels one may fall on the other side of a tie.
    assert scores[0] == pytest.approx(scores[1], abs=2e-3)
