import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

from swiftseg.core import LabelSet
from swiftseg.metrics import confusion_matrix, scores

C, IGNORE = 5, 255


def frames(seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(4):
        mask = rng.integers(0, C, (13, 17), dtype=np.uint8)
        label_map = np.where(rng.random(mask.shape) < 0.7, mask, rng.integers(0, C, mask.shape))
        mask[rng.random(mask.shape) < 0.1] = IGNORE
        pairs.append((label_map.astype(np.uint8), mask))
    return pairs


def test_scores_equal_torchmetrics_over_the_data_set():
    iou = MulticlassJaccardIndex(C, average="none", ignore_index=IGNORE)
    recall = MulticlassAccuracy(C, average="none", ignore_index=IGNORE)
    overall = MulticlassAccuracy(C, average="micro", ignore_index=IGNORE)
    matrix = np.zeros((C, C), np.int64)
    for label_map, mask in frames():
        matrix += confusion_matrix(label_map, mask, C, IGNORE)
        prediction, truth = torch.from_numpy(label_map)[None], torch.from_numpy(mask)[None].long()
        for metric in (iou, recall, overall):
            metric.update(prediction, truth)
    ours = scores(matrix)
    np.testing.assert_allclose(ours.iou, iou.compute().numpy(), atol=1e-6)
    np.testing.assert_allclose(ours.class_accuracy, recall.compute().numpy(), atol=1e-6)
    assert ours.global_accuracy == pytest.approx(overall.compute().item(), abs=1e-6)
    assert ours.mean_iou == pytest.approx(iou.compute().mean().item(), abs=1e-6)


def test_a_class_that_never_occurs_is_left_out_of_the_means():
    mask = np.array([[0, 0, 1, 1]], np.uint8)
    result = scores(confusion_matrix(mask, mask, 3, None))
    assert result.mean_iou == 1.0
    assert np.isnan(result.iou[2])
    named = result.to_dict(LabelSet(("a", "b", "c"), ((0, 0, 0),) * 3))
    assert named["iou"] == {"a": 1.0, "b": 1.0, "c": None}


def test_a_class_predicted_but_never_true_counts_as_zero_iou():
    label_map, mask = np.array([[0, 1]], np.uint8), np.array([[0, 0]], np.uint8)
    result = scores(confusion_matrix(label_map, mask, 2, None))
    assert result.iou.tolist() == [0.5, 0.0]
    assert np.isnan(result.class_accuracy[1])


def test_a_mask_of_nothing_but_void_has_no_score():
    mask = np.full((2, 2), IGNORE, np.uint8)
    result = scores(confusion_matrix(np.zeros((2, 2), np.uint8), mask, 2, IGNORE))
    assert np.isnan(result.mean_iou)
    assert np.isnan(result.global_accuracy)


def test_values_outside_the_classes_are_named():
    mask = np.array([[0, 7, 7, IGNORE]], np.uint8)
    with pytest.raises(ValueError, match=r"2 pixels outside the 3 classes: mask values \[7\]"):
        confusion_matrix(np.zeros_like(mask), mask, 3, IGNORE)


def test_shapes_must_match():
    with pytest.raises(ValueError, match="differ in shape"):
        confusion_matrix(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2, None)
