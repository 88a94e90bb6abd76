"""The scores of Cityscapes' benchmark: IoU and iIoU of classes and of categories.

As in `cityscapesscripts/evaluation/evalPixelLevelSemanticLabeling.py`, for predictions of the 19
classes. Instances are those of the instance masks; where there are none, iIoU is undefined.
"""

from functools import cache
from typing import Any

import numpy as np

from swiftseg.data.published.cityscapes import CATEGORY_LABELS, CITYSCAPES_LABELS, CLASSES
from swiftseg.metrics import instance_counts, instance_iou, mean_of_defined, merge_classes, scores
from swiftseg.metrics.confusion import by_name, none_if_nan

# Mean pixels of an instance in the training set: the constants of the official script.
MEAN_INSTANCE_PIXELS = {
    "person": 3462.4756337644,
    "rider": 3930.4788056518,
    "car": 12794.0202738185,
    "truck": 27855.1264367816,
    "bus": 35732.1511111111,
    "train": 67583.7075812274,
    "motorcycle": 6298.7200839748,
    "bicycle": 4672.3249222261,
}
INSTANCE_CATEGORIES = ("human", "vehicle")  # those whose classes all have instances

_MEAN_SIZE = np.array([MEAN_INSTANCE_PIXELS.get(row.name, 0.0) for row in CLASSES])
_CATEGORY = np.array([CATEGORY_LABELS.names.index(row.category) for row in CLASSES])


def instance_level_counts(label_map: np.ndarray, instance_ids: np.ndarray) -> np.ndarray:
    """Weigh the instances of one frame, to be summed over frames.

    Args:
        label_map: uint8 (H, W), indices of the 19 classes.
        instance_ids: int32 (H, W), as Cityscapes' instanceIds: 1000 * label id + number.

    Returns:
        float64 (2, 2, C): for right classes, then for right categories, the weighted true
        positives and false negatives by the instances' classes.
    """
    class_of_instance = _class_of_instance()
    true_class = class_of_instance[instance_ids]
    category = np.append(_CATEGORY, 255)  # what is no scored instance has no category
    rights = (label_map == true_class, category[label_map] == category[true_class])
    return np.stack(
        [instance_counts(r, instance_ids, class_of_instance, _MEAN_SIZE) for r in rights]
    )


def cityscapes_scores(matrix: np.ndarray, instances: np.ndarray | None) -> dict[str, Any]:
    """Return the benchmark's four means and their parts as plain JSON types.

    Args:
        matrix: int64 (19, 19), rows true, columns predicted.
        instances: Summed `instance_level_counts`, or None.
    """
    merged = merge_classes(matrix, _CATEGORY.tolist())
    parts = {
        "class_iou": by_name(CITYSCAPES_LABELS.names, scores(matrix).iou),
        "category_iou": by_name(CATEGORY_LABELS.names, scores(merged).iou),
    }
    if instances is not None:
        by_class = instance_iou(instances[0], _false_positives(matrix))
        by_class = np.where(_MEAN_SIZE > 0, by_class, np.nan)
        summed = np.stack(
            [np.bincount(_CATEGORY, row, len(CATEGORY_LABELS)) for row in instances[1]]
        )
        by_category = instance_iou(summed, _false_positives(merged))
        scored = np.isin(CATEGORY_LABELS.names, INSTANCE_CATEGORIES)
        by_category = np.where(scored, by_category, np.nan)
        parts["class_iiou"] = by_name(CITYSCAPES_LABELS.names, by_class)
        parts["category_iiou"] = by_name(CATEGORY_LABELS.names, by_category)
    means = {
        f"mean_{part}": none_if_nan(mean_of_defined(np.array(list(values.values()), np.float64)))
        for part, values in parts.items()
    }
    return {**means, **parts}


@cache
def _class_of_instance() -> np.ndarray:
    """Return the class of every 16-bit instance id, and C for those of no scored instance."""
    table = np.full(65536, len(CLASSES), dtype=np.uint8)
    for index, row in enumerate(CLASSES):
        if row.name in MEAN_INSTANCE_PIXELS:
            table[1000 * row.label_id : 1000 * (row.label_id + 1)] = index
    return table


def _false_positives(matrix: np.ndarray) -> np.ndarray:
    return matrix.sum(axis=0) - np.diag(matrix)
