"""Pre-training as a classifier, on a tree like ImageNet's of three colors."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.models import create_model
from swiftseg.runs.lock import locked
from swiftseg.training.pretraining import Accuracy, pretrain, score

COLORS = {"n01": (200, 30, 30), "n02": (30, 200, 30), "n03": (30, 30, 200)}
SMALL = {"batch_size": 8, "lr": 1.0, "side": 32, "workers": 0}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("imagenet")
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 3)):
        for name, color in COLORS.items():
            for index in range(count):
                noise = rng.integers(-25, 25, (40, 50, 3))
                pixels = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
                path = root / split / name / f"{index}.JPEG"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path, format="JPEG")
    return root


def test_a_classifier_learns_and_its_modules_start_a_network(pictures: Path, tmp_path: Path):
    history = pretrain("fast_scnn", pictures, tmp_path, epochs=8, **SMALL)
    assert history[-1].loss < history[0].loss
    assert max(epoch.top1 for epoch in history) > 0.9
    assert history[-1].top5 == 1.0  # of three classes
    with (tmp_path / "metrics.csv").open() as file:
        assert [float(row["top1"]) for row in csv.DictReader(file)] == [e.top1 for e in history]
    weights = load_file(tmp_path / "pretrained.safetensors")
    network = create_model(
        "fast_scnn", num_classes=5, weights=tmp_path / "pretrained.safetensors"
    ).state_dict()
    taken = [name for name in weights if not name.startswith("classifier")]
    assert {name.partition(".")[0] for name in taken} == {
        "learning_to_downsample",
        "global_feature_extractor",
    }
    for name in taken:
        assert torch.equal(network[name], weights[name]), name


def test_what_was_stopped_goes_on_as_if_it_had_not_been(pictures: Path, tmp_path: Path):
    whole = pretrain("fast_scnn", pictures, tmp_path / "whole", epochs=3, **SMALL)
    parts = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        pretrain("fast_scnn", pictures, parts, epochs=3, on_epoch=stop_after_two, **SMALL)
    with pytest.raises(UsageError, match="--resume"):
        pretrain("fast_scnn", pictures, parts, epochs=3, **SMALL)
    with pytest.raises(UsageError, match="begun with --epochs 3, not 5"):
        pretrain("fast_scnn", pictures, parts, epochs=5, resume=True, **SMALL)
    with pytest.raises(UsageError, match=r"begun with --lr 1\.0, not 0\.2"):
        pretrain("fast_scnn", pictures, parts, epochs=3, resume=True, **{**SMALL, "lr": 0.2})
    with locked(parts / ".lock"), pytest.raises(SwiftsegError, match="process"):
        pretrain("fast_scnn", pictures, parts, epochs=3, resume=True, **SMALL)
    assert pretrain("fast_scnn", pictures, parts, epochs=3, resume=True, **SMALL) == whole


def stop_after_two(accuracy: Accuracy) -> None:
    if accuracy.epoch == 2:
        raise KeyboardInterrupt


def test_accuracies_are_counted_by_hand():
    from accelerate import Accelerator
    from torch import nn

    scores = torch.tensor(
        [
            [9.0, 8, 7, 6, 5, 4, 3],
            [9.0, 8, 7, 6, 5, 4, 3],
            [9.0, 8, 7, 6, 5, 4, 3],
            [1.0, 2, 3, 4, 5, 6, 7],
        ]
    )
    batches = [(scores, torch.tensor([0, 4, 5, 6]))]
    found = score(Accelerator(cpu=True), nn.Identity(), batches, 4)  # pyright: ignore[reportArgumentType]
    assert found == (0.5, 0.75)


def test_a_picture_that_cannot_be_read_costs_itself_alone(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "data"
    broken.mkdir()
    for split in ("train", "val"):
        for name in COLORS:
            (broken / split / name).mkdir(parents=True)
            for picture in (pictures / split / name).iterdir():
                (broken / split / name / picture.name).write_bytes(picture.read_bytes())
    (broken / "train/n01/0.JPEG").write_bytes(b"no picture")
    pretrain("fast_scnn", broken, tmp_path / "out", epochs=1, **SMALL)
    assert "n01/0.JPEG" in capsys.readouterr().err


def test_what_is_no_such_tree_is_refused(pictures: Path, tmp_path: Path):
    with pytest.raises(SwiftsegError, match="CLASS"):
        pretrain("fast_scnn", tmp_path, tmp_path / "out", **SMALL)
    with pytest.raises(UsageError, match="unknown network to pre-train 'enet'"):
        pretrain("enet", pictures, tmp_path / "out", **SMALL)
    with pytest.raises(UsageError, match="24 pictures"):
        pretrain("fast_scnn", pictures, tmp_path / "out", batch_size=64, side=32, workers=0)
