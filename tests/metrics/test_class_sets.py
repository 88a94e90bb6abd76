"""Scores of labels that stand for several classes, against torchmetrics on merged labels."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex

from swiftseg.core import ClassSet, LabelSet
from swiftseg.evaluation import Evaluation

GRAY = (9, 9, 9)
NAMES = ("sky", "road", "car", "bicyclist", "tree", "pole")
# Label by label the classes that it may be: sky, road, living things, vehicles.
COARSE = [{0}, {1}, {3}, {2, 3}]
COARSE_LABELS = LabelSet(NAMES, (GRAY,) * 6, 255, (ClassSet("vehicles", (2, 3)),), (2, 4, 5))


def merged(label_map: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What an outside measurer makes of predicted classes: the coarse label, or 4 for none."""
    home = {0: 0, 1: 1, 2: 3, 3: 2, 4: 4, 5: 4}
    return np.array(
        [
            [t if p in COARSE[t] else home[p] for p, t in zip(*rows, strict=True)]
            for rows in zip(label_map.tolist(), truth.tolist(), strict=True)
        ]
    )


def test_a_prediction_inside_the_set_is_right():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (20, 30))
    label_map = rng.integers(0, 6, (20, 30)).astype(np.uint8)
    mask = np.array([0, 1, 3, 6], np.uint8)[truth]  # the set's value is the first free one
    ignored = rng.random(mask.shape) < 0.1
    mask[ignored] = 255
    evaluation = Evaluation(COARSE_LABELS)
    evaluation.add(label_map, mask)
    iou = MulticlassJaccardIndex(5, average="none", ignore_index=255)
    target = np.where(ignored, 255, truth)
    expected = iou(torch.from_numpy(merged(label_map, truth)), torch.from_numpy(target)).numpy()
    ours = evaluation.scores
    np.testing.assert_allclose(ours.iou[[0, 1, 3, 6]], expected[:4], atol=1e-6)
    assert ours.mean_iou == pytest.approx(expected[:4].mean(), abs=1e-6)
    assert np.isnan(ours.iou[[2, 4, 5]]).all()  # the data have no label for them


def test_the_report_says_which_rows_are_of_sets():
    evaluation = Evaluation(COARSE_LABELS)
    evaluation.add(np.full((4, 4), 2, np.uint8), np.full((4, 4), 6, np.uint8))
    told = evaluation.to_dict()
    assert told["rows_of_sets"] == ["vehicles (car or bicyclist)"]
    assert told["iou"]["vehicles (car or bicyclist)"] == 1.0
    assert told["boundary_iou"]["vehicles (car or bicyclist)"] == 1.0
    assert told["mean_iou"] == told["mean_boundary_iou"] == 1.0
    assert told["iou"]["car"] is None


def test_calibration_counts_a_prediction_inside_the_set_as_right():
    evaluation = Evaluation(COARSE_LABELS)
    probs = np.zeros((6, 1, 4), np.float32)
    probs[2], probs[0] = 0.75, 0.25
    evaluation.add(
        probs.argmax(0).astype(np.uint8), np.array([[6, 6, 6, 0]], np.uint8), probs=probs
    )
    assert evaluation.calibration_error == pytest.approx(0.0, abs=1e-7)  # three of four are right
