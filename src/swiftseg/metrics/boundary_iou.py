"""Boundary IoU: how well the outlines agree, whatever the size of what they surround.

Cheng, Girshick, Dollár, Berg, Kirillov, "Boundary IoU: improving object-centric image segmentation
evaluation", CVPR 2021: the IoU of the pixels of either region that lie within d of its own contour,
d being 2 % of the image's diagonal and the image's border a contour too. The paper scores single
masks. Here, as for mask IoU, a class is one region a frame, pixels are summed over all frames, and
IoU is taken once at the end.

Void is no class: what is predicted there does not count, and the border between a region and void
is a contour in both maps, so that a perfect prediction scores 1.
"""

from collections.abc import Callable

import numpy as np

from swiftseg.metrics.confusion import divide, parts

DISTANCE = 0.02  # of the diagonal, as in the paper
_STRIP_PIXELS = 1 << 23  # counted at a time
_Pick = Callable[[np.ndarray, np.ndarray], np.ndarray]


def boundary_counts(
    label_map: np.ndarray, mask: np.ndarray, num_classes: int, ignore_index: int | None
) -> np.ndarray:
    """Count the boundary pixels of one frame, to be summed over frames.

    Args:
        label_map: uint8 (H, W), the prediction, values below `num_classes`.
        mask: uint8 (H, W), the ground truth: classes and `ignore_index`.
        num_classes: C.
        ignore_index: The mask value that is no class, or None.

    Returns:
        int64 (2, C): intersection and union by class.
    """
    height, width = mask.shape
    distance = max(1, round(DISTANCE * float(np.hypot(height, width))))
    rows = max(4 * distance, _STRIP_PIXELS // width)
    counts = np.zeros((2, 256), np.int64)
    for top in range(0, height, rows):
        first = max(0, top - distance)  # what is this near decides, too
        around, counted = (
            slice(first, top + rows + distance),
            slice(top - first, top - first + rows),
        )
        strip = label_map[around], mask[around]
        counts += _strip_counts(*strip, ignore_index, distance=distance, counted=counted)
    return counts[:, :num_classes]


def _strip_counts(
    label_map: np.ndarray,
    mask: np.ndarray,
    ignore_index: int | None,
    *,
    distance: int,
    counted: slice,
) -> np.ndarray:
    """Count the boundary pixels in some rows of a strip, int64 (2, 256)."""
    if ignore_index is not None:
        label_map = np.where(mask == ignore_index, mask, label_map)
    near_true = near_contour(mask, distance)[counted]
    near_predicted = near_contour(label_map, distance)[counted]
    label_map, mask = label_map[counted], mask[counted]
    true, predicted = _counts(mask, near_true), _counts(label_map, near_predicted)
    intersection = _counts(mask, near_true & near_predicted & (mask == label_map))
    return np.stack([intersection, true + predicted - intersection])


def _counts(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Count the chosen pixels of every label, int64 (256,)."""
    found = labels[chosen]
    counts = np.zeros(256, np.int64)
    for part in parts(found.size):
        counts += np.bincount(found[part], minlength=256)
    return counts


def boundary_iou(counts: np.ndarray) -> np.ndarray:
    """Return boundary IoU float64 (C,) from summed `boundary_counts`; NaN for absent classes."""
    return divide(counts[0].astype(np.float64), counts[1])


def near_contour(labels: np.ndarray, distance: int) -> np.ndarray:
    """Mark the pixels that have another label, or the outside, within a distance.

    That is a region minus its erosion by a square of 2 * distance + 1, for all regions at once.

    Args:
        labels: uint8 (H, W).
        distance: In pixels, diagonal steps counting as one.

    Returns:
        bool (H, W).
    """
    near = np.ones(labels.shape, dtype=bool)
    width = 2 * distance + 1
    if min(labels.shape) >= width:
        lowest = _over_windows(np.minimum, labels, width)
        highest = _over_windows(np.maximum, labels, width)
        near[distance:-distance, distance:-distance] = lowest != highest
    return near


def _over_windows(pick: _Pick, labels: np.ndarray, width: int) -> np.ndarray:
    """Pick the least or greatest label of every window (width, width) that lies inside."""
    for _ in range(2):
        labels = _over_rows(pick, labels, width).T
    return labels


def _over_rows(pick: _Pick, labels: np.ndarray, width: int) -> np.ndarray:
    # Windows of 1, 2, 4, ... rows; the last step lets two windows overlap to the width asked for.
    height = 1
    while height < width:
        step = min(height, width - height)
        labels = pick(labels[:-step], labels[step:])
        height += step
    return labels
