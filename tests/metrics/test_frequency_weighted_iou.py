import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex

from swiftseg.metrics import confusion_matrix, frequency_weighted_iou


def test_it_equals_torchmetrics_over_the_data_set():
    rng = np.random.default_rng(0)
    metric = MulticlassJaccardIndex(4, average="weighted", ignore_index=255)
    matrix = np.zeros((4, 4), np.int64)
    for _ in range(3):
        mask = rng.choice([0, 1, 2, 3, 255], (9, 11), p=[0.5, 0.3, 0.1, 0.05, 0.05])
        label_map = np.where(rng.random(mask.shape) < 0.6, mask % 4, rng.integers(0, 4, mask.shape))
        matrix += confusion_matrix(label_map.astype(np.uint8), mask.astype(np.uint8), 4, 255)
        metric.update(torch.from_numpy(label_map)[None], torch.from_numpy(mask)[None])
    assert frequency_weighted_iou(matrix) == pytest.approx(metric.compute().item(), abs=1e-6)


def test_a_class_that_only_is_predicted_weighs_nothing():
    matrix = np.array([[6, 2], [0, 0]])
    assert frequency_weighted_iou(matrix) == 0.75


def test_nothing_counted_is_no_score():
    assert np.isnan(frequency_weighted_iou(np.zeros((2, 2), np.int64)))
