"""One confusion matrix, and every score of segmentation from it.

The matrix is summed over all frames and the scores are taken once at the end, as Cityscapes and
PASCAL VOC do; a mean over frames of per-frame IoU is another number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from swiftseg.core import LabelSet

_PART = 1 << 22  # pixels


def confusion_matrix(
    label_map: np.ndarray, mask: np.ndarray, num_classes: int, ignore_index: int | None
) -> np.ndarray:
    """Count pixels by true class (row) and predicted class (column).

    Args:
        label_map: uint8 (H, W), the prediction, values below `num_classes`.
        mask: uint8 (H, W), the ground truth.
        num_classes: C.
        ignore_index: The mask value left out of the counts, or None.

    Returns:
        int64 (C, C).

    Raises:
        ValueError: The shapes differ, or a value is outside the classes.
    """
    if label_map.shape != mask.shape:
        raise ValueError(f"label map {label_map.shape} and mask {mask.shape} differ in shape")
    # One histogram of 256 x 256 codes needs no selection of valid pixels, which would cost more.
    predicted, true = label_map.astype(np.uint8, copy=False).reshape(-1), mask.reshape(-1)
    counts = np.zeros(65536, np.int64)
    for part in parts(mask.size):
        codes = true[part].astype(np.uint16) << 8
        codes |= predicted[part]
        counts += np.bincount(codes, minlength=65536)
    counts = counts.reshape(256, 256)
    if ignore_index is not None:
        counts[ignore_index] = 0
    matrix = counts[:num_classes, :num_classes]
    outside = int(counts.sum() - matrix.sum())
    if outside:
        truth = np.flatnonzero(counts[num_classes:].any(axis=1)) + num_classes
        labels = np.flatnonzero(counts[:, num_classes:].any(axis=0)) + num_classes
        raise ValueError(
            f"{outside} pixels outside the {num_classes} classes: mask values {truth.tolist()}, "
            f"predicted values {labels.tolist()}"
        )
    return matrix


def parts(size: int) -> Iterator[slice]:
    """Yield slices that cover so many pixels, since numpy copies to int64 what it counts."""
    for first in range(0, size, _PART):
        yield slice(first, first + _PART)


@dataclass(frozen=True)
class Scores:
    """What a confusion matrix says, each in 0..1.

    A class that occurs in neither masks nor predictions has no IoU (NaN) and is left out of the
    mean; a class that is absent from the masks has no accuracy.

    Attributes:
        iou: float64 (C,), intersection over union by class.
        class_accuracy: float64 (C,), recall by class.
        global_accuracy: Share of all counted pixels that are right.
        mean_iou: Mean of `iou` over the classes that have one.
        mean_class_accuracy: Mean of `class_accuracy` over the classes that have one.
    """

    iou: np.ndarray
    class_accuracy: np.ndarray
    global_accuracy: float
    mean_iou: float
    mean_class_accuracy: float

    def to_dict(self, labels: LabelSet) -> dict[str, Any]:
        """Return plain JSON types, classes by name; what is undefined is None."""
        return {
            "mean_iou": none_if_nan(self.mean_iou),
            "global_accuracy": none_if_nan(self.global_accuracy),
            "mean_class_accuracy": none_if_nan(self.mean_class_accuracy),
            "iou": by_name(labels.names, self.iou),
            "class_accuracy": by_name(labels.names, self.class_accuracy),
        }


def scores(matrix: np.ndarray, scored: np.ndarray | None = None) -> Scores:
    """Return all scores of a confusion matrix.

    Args:
        matrix: int64 (C, C), rows true, columns predicted.
        scored: bool (C,), the classes that can have an IoU; None for all.
    """
    hits = np.diag(matrix).astype(np.float64)
    truth = matrix.sum(axis=1)
    union = truth + matrix.sum(axis=0) - hits
    iou = divide(hits, union)
    if scored is not None:
        iou = np.where(scored, iou, np.nan)
    class_accuracy = divide(hits, truth)
    return Scores(
        iou=iou,
        class_accuracy=class_accuracy,
        global_accuracy=float(divide(hits.sum(), truth.sum())),
        mean_iou=mean_of_defined(iou),
        mean_class_accuracy=mean_of_defined(class_accuracy),
    )


def frequency_weighted_iou(matrix: np.ndarray) -> float:
    """Return the classes' IoU, each weighed by its share of the pixels (Long et al., CVPR 2015).

    Args:
        matrix: int64 (C, C), rows true, columns predicted, summed over all frames.

    Returns:
        In 0..1, NaN for a matrix of zeros.
    """
    truth = matrix.sum(axis=1)
    return float(divide(np.nansum(truth * scores(matrix).iou), truth.sum()))


def merge_classes(matrix: np.ndarray, group_of_class: Sequence[int]) -> np.ndarray:
    """Return a confusion matrix of groups of classes, int64 (G, G).

    Args:
        matrix: int64 (C, C), rows true, columns predicted.
        group_of_class: C numbers, the groups 0 to G - 1.
    """
    membership = np.eye(max(group_of_class) + 1, dtype=matrix.dtype)[list(group_of_class)]
    return membership.T @ matrix @ membership


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide counts elementwise; NaN where the denominator is zero."""
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), np.nan)


def mean_of_defined(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def by_name(names: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    """Return one value a class by the classes' names; what is undefined is None."""
    return {name: none_if_nan(value) for name, value in zip(names, values, strict=True)}
