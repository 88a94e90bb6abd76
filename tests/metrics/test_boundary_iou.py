"""Against the definition itself: regions minus their erosion, by scipy, mask by mask."""

import sys

import numpy as np
import pytest
from scipy import ndimage

from swiftseg.metrics import boundary_counts, boundary_iou
from swiftseg.metrics.boundary_iou import near_contour


def boundary_of(region: np.ndarray, distance: int) -> np.ndarray:
    """A region's pixels within the distance of its contour or of the image's border."""
    square = np.ones((3, 3), bool)
    eroded = ndimage.binary_erosion(np.pad(region, 1), square, iterations=distance)[1:-1, 1:-1]
    return region & ~eroded


def blobs(rng: np.random.Generator, size_hw: tuple[int, int], num_classes: int) -> np.ndarray:
    noise = rng.normal(size=(num_classes, *size_hw))
    return ndimage.gaussian_filter(noise, (0, 6, 6)).argmax(axis=0).astype(np.uint8)


@pytest.mark.parametrize("strip_pixels", [1, 1 << 23])
@pytest.mark.parametrize("size_hw", [(90, 120), (51, 200), (7, 300), (1, 1)])
def test_counts_equal_the_definition(size_hw, strip_pixels, monkeypatch):
    rng = np.random.default_rng(1)
    mask, label_map = blobs(rng, size_hw, 4), blobs(rng, size_hw, 4)
    label_map = np.where(rng.random(size_hw) < 0.02, label_map, np.roll(mask, 2, axis=1))
    distance = max(1, round(0.02 * np.hypot(*size_hw)))
    module = sys.modules[near_contour.__module__]  # the package has a function of its name
    monkeypatch.setattr(module, "_STRIP_PIXELS", strip_pixels)
    counts = boundary_counts(label_map, mask, 4, None)
    for index in range(4):
        true = boundary_of(mask == index, distance)
        predicted = boundary_of(label_map == index, distance)
        assert counts[:, index].tolist() == [(true & predicted).sum(), (true | predicted).sum()]


@pytest.mark.parametrize("distance", [1, 2, 3, 7])
def test_the_band_is_as_wide_as_the_distance(distance):
    halves = np.zeros((40, 60), np.uint8)
    halves[:, 30:] = 1
    inner = near_contour(halves, distance)[20]
    expected = np.zeros(60, bool)
    expected[:distance] = expected[-distance:] = expected[30 - distance : 30 + distance] = True
    np.testing.assert_array_equal(inner, expected)


def test_a_perfect_prediction_scores_one_whatever_it_says_of_void():
    rng = np.random.default_rng(2)
    mask = blobs(rng, (60, 80), 3)
    mask[20:30, 10:50] = 255
    label_map = np.where(mask == 255, rng.integers(0, 3, mask.shape), mask).astype(np.uint8)
    assert boundary_iou(boundary_counts(label_map, mask, 3, 255)).tolist() == [1, 1, 1]


def test_a_class_that_never_occurs_has_none():
    mask = np.zeros((20, 20), np.uint8)
    assert np.isnan(boundary_iou(boundary_counts(mask, mask, 2, None))[1])
