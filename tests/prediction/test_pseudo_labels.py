"""Masks that models write within coarse labels, against the rule written out pixel by pixel."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import ClassSet, LabelSet, Sample, SwiftsegError
from swiftseg.inference import Segmenter
from swiftseg.prediction.pseudo_labels import (
    Teachers,
    Unlabeled,
    pseudo_mask,
    write_pseudo_labels,
)
from swiftseg.prediction.sources import find_sources
from tests.support.exported import SHADES, write_shade_model

VOID = 255
LABELS = LabelSet(
    ("sky", "road", "car", "bicyclist"), ((9, 9, 9),) * 4, VOID, (ClassSet("vehicles", (2, 3)),)
)
ALLOWED = {0: [0], 1: [1], 2: [2], 3: [3], 4: [2, 3], VOID: [0, 1, 2, 3]}


def by_hand(probs: list[float], label: int, min_confidence: float) -> int:
    allowed = ALLOWED[label]
    if len(allowed) == 1:
        return label
    total = sum(probs[index] for index in allowed)
    best = max(allowed, key=lambda index: probs[index])
    return best if probs[best] / total >= min_confidence else VOID


@pytest.mark.parametrize("min_confidence", [0.0, 0.6, 0.9])
def test_a_pixel_stays_within_its_label_or_is_void(min_confidence: float):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet([0.4] * 4, (9, 11)).astype(np.float32)
    mask = rng.choice(np.array(list(ALLOWED), np.uint8), (9, 11))
    pseudo = pseudo_mask(
        np.moveaxis(probs, -1, 0), LABELS, min_confidence=min_confidence, mask=mask
    )
    expected = [
        [by_hand(p, t, min_confidence) for p, t in zip(*rows, strict=True)]
        for rows in zip(probs.tolist(), mask.tolist(), strict=True)
    ]
    assert pseudo.tolist() == expected


def test_what_no_model_gives_a_chance_is_void():
    probs = np.array([1, 0, 0, 0], np.float32).reshape(4, 1, 1)
    assert pseudo_mask(probs, LABELS, mask=np.array([[4]], np.uint8)).tolist() == [[VOID]]


class Coarse:
    """One frame of three shades, whose label allows the first two classes of the model."""

    labels = LabelSet(SHADES.names, SHADES.palette, 255, (ClassSet("either", (0, 1)),))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int, /) -> Sample:
        if index == 1:
            raise SwiftsegError("broken.png: cannot be read")
        image = np.repeat(np.array([20, 128, 235], np.uint8), 4).reshape(1, 12, 1)
        image = np.broadcast_to(image, (12, 12, 3)).copy()
        return Sample("night/one", image, np.full((12, 12), 3, np.uint8))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Teachers:
    path = write_shade_model(tmp_path_factory.mktemp("m") / "m.onnx", size_hw=(12, 12))
    return Teachers([Segmenter.load(path), Segmenter.load(path)], flip=True)


def test_masks_are_written_by_the_frames_names(teachers: Teachers, tmp_path: Path):
    result = write_pseudo_labels(Coarse(), teachers, tmp_path)
    assert result.written == 1
    assert result.failed == ["broken.png: cannot be read"]
    mask = np.array(Image.open(tmp_path / "night/one.png"))
    assert set(np.unique(mask)) <= {0, 1}
    assert result.pixels[:2].sum() == mask.size


def test_unlabeled_images_go_to_a_labeling_tool(teachers: Teachers, tmp_path: Path):
    Image.fromarray(Coarse()[0].image).save(tmp_path / "frame.png")
    frames = Unlabeled(find_sources([str(tmp_path)]), teachers.labels)
    write_pseudo_labels(frames, teachers, tmp_path / "coco", form="coco")
    content = json.loads((tmp_path / "coco/frame.json").read_text())
    assert content["images"][0]["width"] == 12
    write_pseudo_labels(frames, teachers, tmp_path / "labelme", form="labelme")
    assert json.loads((tmp_path / "labelme/frame.json").read_text())["shapes"]


def test_other_classes_are_refused(teachers: Teachers, tmp_path: Path):
    frames = Unlabeled([], LABELS)
    with pytest.raises(SwiftsegError, match="classes sky, road, car, bicyclist where the models"):
        write_pseudo_labels(frames, teachers, tmp_path)
