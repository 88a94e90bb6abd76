"""Scores of groups of classes: a vehicle taken for another vehicle is right."""

from collections.abc import Sequence

import numpy as np


def merge_classes(matrix: np.ndarray, group_of_class: Sequence[int]) -> np.ndarray:
    """Merge a confusion matrix's classes into groups; `scores` of it are those of the groups.

    Args:
        matrix: int64 (C, C), rows true, columns predicted.
        group_of_class: C numbers, the groups 0 to G - 1.

    Returns:
        int64 (G, G).
    """
    membership = np.eye(max(group_of_class) + 1, dtype=matrix.dtype)[list(group_of_class)]
    return membership.T @ matrix @ membership
