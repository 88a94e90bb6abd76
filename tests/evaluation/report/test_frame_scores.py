import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_jaccard_index

from swiftseg.core import LabelSet, Sample
from swiftseg.evaluation.report.shown_frames import FrameScores, frame_score

LABELS = LabelSet(("a", "b", "c"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), 255)


def scored(values: list[float]) -> FrameScores:
    scores = FrameScores(LABELS)
    scores.mean_iou.extend(values)
    return scores


def test_a_frames_score_is_the_mean_over_its_own_classes():
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 2, (9, 11)).astype(np.uint8)
    label_map = rng.integers(0, 2, (9, 11)).astype(np.uint8)
    mask[0] = 255
    truth = torch.from_numpy(mask).long()
    expected = multiclass_jaccard_index(
        torch.from_numpy(label_map), truth, 3, average="none", ignore_index=255
    )[:2]
    assert frame_score(mask, label_map, LABELS) == pytest.approx(expected.mean().item(), abs=1e-6)


def test_extremes_come_first_and_the_median_lies_between():
    values = [k / 10 for k in (5, 0, 9, 2, 7, 4, 1, 8, 3, 6, 10)]
    chosen = scored(values).chosen()
    by_value = {kind: [values[i] for i in indices] for kind, indices in chosen.items()}
    assert by_value == {
        "worst": [0.0, 0.1, 0.2],
        "median": [0.4, 0.5, 0.6],
        "best": [1.0, 0.9, 0.8],
    }


@pytest.mark.parametrize("count", range(12))
def test_no_frame_is_shown_twice(count):
    chosen = scored([k / 20 for k in range(count)]).chosen()
    indices = [i for kind in chosen.values() for i in kind]
    assert len(indices) == len(set(indices)) == min(count, 9)


def test_frames_of_nothing_but_void_are_not_shown():
    chosen = scored([math.nan, 0.5, math.nan]).chosen()
    assert chosen == {"worst": [1], "median": [], "best": []}


def test_sizes_are_kept_as_a_range():
    scores = FrameScores(LABELS)
    for size_hw in ((8, 12), (4, 6), (16, 2)):
        mask = np.zeros(size_hw, np.uint8)
        scores.add(Sample("s", np.zeros((*size_hw, 3), np.uint8), mask), mask)
    assert (scores.smallest_hw, scores.largest_hw) == ((4, 6), (8, 12))
    assert scores.mean_iou.tolist() == [1.0, 1.0, 1.0]
