import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from swiftseg.metrics import calibration_counts, expected_calibration_error


@pytest.mark.parametrize("strip_values", [1, 1 << 26])
def test_it_equals_torchmetrics_over_the_data_set(strip_values, monkeypatch):
    monkeypatch.setattr("swiftseg.metrics.calibration._STRIP_VALUES", strip_values)
    rng = np.random.default_rng(0)
    metric = MulticlassCalibrationError(5, n_bins=15, norm="l1", ignore_index=255)
    counts = np.zeros((3, 15))
    for _ in range(3):
        logits = rng.normal(scale=2, size=(5, 8, 9))
        probs = (np.exp(logits) / np.exp(logits).sum(axis=0)).astype(np.float32)
        mask = rng.choice([0, 1, 2, 3, 4, 255], (8, 9)).astype(np.uint8)
        counts += calibration_counts(probs, mask, 255)
        metric.update(torch.from_numpy(probs)[None], torch.from_numpy(mask)[None].long())
    assert expected_calibration_error(counts) == pytest.approx(metric.compute().item(), abs=1e-6)


def test_three_quarters_sure_and_always_right_is_off_by_a_quarter():
    probs = np.stack([np.full((4, 4), 0.75, np.float32), np.full((4, 4), 0.25, np.float32)])
    counts = calibration_counts(probs, np.zeros((4, 4), np.uint8), None)
    assert expected_calibration_error(counts) == pytest.approx(0.25)


def test_certainty_belongs_to_the_last_bin():
    probs = np.stack([np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)])
    counts = calibration_counts(probs, np.zeros((2, 2), np.uint8), None)
    assert counts[0].tolist() == [0] * 14 + [4]


def test_nothing_but_void_has_no_error():
    probs = np.full((2, 3, 3), 0.5, np.float32)
    counts = calibration_counts(probs, np.full((3, 3), 255, np.uint8), 255)
    assert np.isnan(expected_calibration_error(counts))
