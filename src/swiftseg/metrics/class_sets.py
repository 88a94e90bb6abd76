"""Scores of data whose labels may stand for several classes.

A prediction inside the set of a pixel's label is right. One row of the confusion matrix is a class
or a set; predictions are brought to these rows first, and every score is then taken as usual.
"""

import numpy as np

from swiftseg.core import LabelSet

IGNORED_ROW = 255


def row_labels(labels: LabelSet) -> LabelSet:
    """Return what the rows are: the classes, then the sets with the classes they stand for."""
    if not labels.sets:
        return labels
    colors = labels.value_colors[list(labels.set_values)]
    names = (
        f"{s.name} ({' or '.join(labels.names[index] for index in s.classes)})" for s in labels.sets
    )
    return LabelSet(
        (*labels.names, *names),
        (*labels.palette, *((int(r), int(g), int(b)) for r, g, b in colors)),
        None if labels.ignore_index is None else IGNORED_ROW,
    )


def scored_rows(labels: LabelSet) -> np.ndarray:
    """Return which rows of `row_labels` the data can score, bool: those that some label is."""
    scored = np.ones(len(labels) + len(labels.sets), dtype=bool)
    scored[list(labels.unlabeled)] = False
    return scored


def to_rows(
    label_map: np.ndarray, mask: np.ndarray, labels: LabelSet
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a prediction and its truth to the rows of `row_labels`.

    A predicted class inside the set of its pixel's label counts as that set. Elsewhere it counts as
    itself or, where no label of the data is that class alone, as the smallest set that holds it: it
    is a false positive there, as it is for whoever maps predictions to coarse labels.

    Args:
        label_map: uint8 (H, W), the prediction, class indices.
        mask: uint8 (H, W), classes, `labels.set_values` and `labels.ignore_index`.
        labels: The data's.

    Returns:
        Both as uint8 (H, W).
    """
    rows = row_table(labels)
    codes = mask.astype(np.uint16) << 8
    codes |= label_map.astype(np.uint8, copy=False)
    return credit_table(labels, rows)[codes], rows[mask]


def row_table(labels: LabelSet) -> np.ndarray:
    """Return the row of each mask value, uint8 (256,); values of no row stay as they are."""
    rows = np.arange(256, dtype=np.uint8)
    rows[list(labels.set_values)] = np.arange(len(labels), len(labels) + len(labels.sets))
    if labels.ignore_index is not None:
        rows[labels.ignore_index] = IGNORED_ROW
    return rows


def credit_table(labels: LabelSet, rows: np.ndarray) -> np.ndarray:
    """Return the row of a prediction, uint8 (65536,), by 256 * mask value + predicted class."""
    homes = np.arange(256, dtype=np.uint8)
    for index in labels.unlabeled:
        holders = [
            (len(of_set.classes), value)
            for value, of_set in zip(labels.set_values, labels.sets, strict=True)
            if index in of_set.classes
        ]
        if holders:
            homes[index] = rows[min(holders)[1]]
    table = np.tile(homes, (256, 1))
    for value, of_set in zip(labels.set_values, labels.sets, strict=True):
        table[value, list(of_set.classes)] = rows[value]
    return table.ravel()
