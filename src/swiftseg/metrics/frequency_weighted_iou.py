"""IoU in which each class counts by its share of the true pixels."""

import numpy as np

from swiftseg.metrics.confusion import divide


def frequency_weighted_iou(matrix: np.ndarray) -> float:
    """Weights each class's IoU with the class's share of the pixels (Long et al., CVPR 2015).

    Args:
        matrix: int64 (C, C), rows true, columns predicted, summed over all frames.

    Returns:
        In 0..1, NaN for a matrix of zeros.
    """
    hits = np.diag(matrix).astype(np.float64)
    truth = matrix.sum(axis=1)
    iou = divide(hits, truth + matrix.sum(axis=0) - hits)
    return float(divide(np.nansum(truth * iou), truth.sum()))
