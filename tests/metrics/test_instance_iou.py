import numpy as np
import pytest

from swiftseg.metrics import instance_counts, instance_iou


def test_a_small_instance_weighs_as_much_as_a_large_one():
    instances = np.zeros((10, 10), np.int64)  # 0 is background
    instances[:8, :8], instances[9, :4] = 1, 2  # 64 pixels, found; 4 pixels, missed
    right = instances == 1
    counts = instance_counts(right, instances, np.array([1, 0, 0]), np.array([20.0]))
    assert counts.tolist() == [[20], [20]]  # the mean size, for either
    assert instance_iou(counts, np.array([10])).tolist() == [20 / 50]


def test_part_of_an_instance_counts_in_part():
    instances = np.array([[0, 0, 0, 0]])
    right = np.array([[True, False, False, False]])
    counts = instance_counts(right, instances, np.array([0]), np.array([8.0]))
    assert counts.tolist() == [[2], [6]]


def test_neither_true_nor_predicted_has_no_score():
    assert np.isnan(instance_iou(np.zeros((2, 1)), np.array([0]))[0])
    assert instance_iou(np.zeros((2, 1)), np.array([3])).tolist() == pytest.approx([0])
