"""Scores of segmentation, one definition for every runtime."""

from swiftseg.metrics.bootstrap import Interval, MeanIoUBootstrap
from swiftseg.metrics.boundary_iou import boundary_counts, boundary_iou
from swiftseg.metrics.calibration import calibration_counts, expected_calibration_error
from swiftseg.metrics.class_sets import row_labels, scored_rows, to_rows
from swiftseg.metrics.confusion import (
    Scores,
    confusion_matrix,
    frequency_weighted_iou,
    mean_of_defined,
    merge_classes,
    scores,
)
from swiftseg.metrics.instance_iou import instance_counts, instance_iou

__all__ = [
    "Interval",
    "MeanIoUBootstrap",
    "Scores",
    "boundary_counts",
    "boundary_iou",
    "calibration_counts",
    "confusion_matrix",
    "expected_calibration_error",
    "frequency_weighted_iou",
    "instance_counts",
    "instance_iou",
    "mean_of_defined",
    "merge_classes",
    "row_labels",
    "scored_rows",
    "scores",
    "to_rows",
]
