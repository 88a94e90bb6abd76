"""IoU in which every instance weighs the same, near or far: Cityscapes' iIoU.

Cordts et al., "The Cityscapes dataset for semantic urban scene understanding", CVPR 2016, section
4.1: iIoU = iTP / (iTP + FP + iFN). A true pixel of an instance weighs the mean size of its class's
instances over that instance's own size; false positives belong to no instance and weigh 1.
"""

import numpy as np


def instance_counts(
    right: np.ndarray, instances: np.ndarray, class_of_instance: np.ndarray, mean_size: np.ndarray
) -> np.ndarray:
    """Weigh the instances of one frame, to be summed over frames.

    Args:
        right: bool (H, W), where the prediction counts as right.
        instances: Whole numbers (H, W), the instance of each pixel, from 0 to I - 1.
        class_of_instance: (I,), each instance's class, or C for what is no scored instance.
        mean_size: float64 (C,), the mean pixels of an instance by class.

    Returns:
        float64 (2, C): weighted true positives and weighted false negatives by class.
    """
    num_instances, num_classes = len(class_of_instance), len(mean_size)
    size = np.bincount(instances.ravel(), minlength=num_instances)
    hits = np.bincount(instances[right], minlength=num_instances)
    present = np.flatnonzero((size > 0) & (class_of_instance < num_classes))
    classes = class_of_instance[present]
    weights = mean_size[classes] / size[present]
    return np.stack(
        [
            np.bincount(classes, weights * hits[present], num_classes),
            np.bincount(classes, weights * (size - hits)[present], num_classes),
        ]
    )


def instance_iou(counts: np.ndarray, false_positives: np.ndarray) -> np.ndarray:
    """Return iIoU float64 (C,); NaN where a class is neither true nor predicted.

    Args:
        counts: float64 (2, C), summed `instance_counts`.
        false_positives: int64 (C,), pixels of a confusion matrix's column off its diagonal.
    """
    hits, misses = counts
    total = hits + misses + false_positives
    return np.where(total > 0, hits / np.where(total > 0, total, 1), np.nan)
