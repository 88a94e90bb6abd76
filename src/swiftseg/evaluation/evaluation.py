"""A running evaluation: sums over all frames seen so far, whose size no data set changes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.evaluation.cityscapes_scores import cityscapes_scores, instance_level_counts
from swiftseg.evaluation.protocol import NATIVE, ScoringProtocol
from swiftseg.metrics import (
    Interval,
    MeanIoUBootstrap,
    Scores,
    boundary_counts,
    boundary_iou,
    calibration_counts,
    confusion_matrix,
    expected_calibration_error,
    frequency_weighted_iou,
    mean_of_defined,
    row_labels,
    scored_rows,
    scores,
    to_rows,
)
from swiftseg.metrics.confusion import by_name, none_if_nan


@dataclass(frozen=True, eq=False)
class FrameCounts:
    """What is counted of one frame; it may be counted elsewhere than where it is summed up.

    Attributes:
        matrix: int64 (C, C), rows true, columns predicted.
        boundary: int64 (2, C), `boundary_counts`.
        calibration: `calibration_counts`, or None.
        instances: `instance_level_counts`, or None.
    """

    matrix: np.ndarray
    boundary: np.ndarray
    calibration: np.ndarray | None = None
    instances: np.ndarray | None = None


def count_frame(
    label_map: np.ndarray,
    mask: np.ndarray,
    data_labels: LabelSet,
    *,
    probs: np.ndarray | None = None,
    instance_ids: np.ndarray | None = None,
) -> FrameCounts:
    """Count one frame.

    Args:
        label_map: uint8 (H, W), the prediction.
        mask: uint8 (H, W), the ground truth.
        data_labels: The classes of the data, and the sets of classes that labels stand for.
        probs: float32 (C, H, W), for the calibration error.
        instance_ids: int32 (H, W), Cityscapes' instance mask.

    Raises:
        ValueError: The shapes differ, or a value is outside the classes.
    """
    labels, classes = row_labels(data_labels), label_map
    num_classes, ignore_index = len(labels), labels.ignore_index
    if data_labels.sets:
        label_map, mask = to_rows(label_map, mask, data_labels)
    calibration = None
    if probs is not None:
        # Where the row is right, so is the class that was predicted.
        right = np.where(label_map == mask, classes, mask)
        calibration = calibration_counts(probs, right, ignore_index)
    return FrameCounts(
        confusion_matrix(label_map, mask, num_classes, ignore_index),
        boundary_counts(label_map, mask, num_classes, ignore_index),
        calibration,
        None if instance_ids is None else instance_level_counts(label_map, instance_ids),
    )


@dataclass
class Evaluation:
    """What has been counted, and the scores that follow from it.

    Attributes:
        data_labels: The classes of the data, and the sets of classes that labels stand for.
        protocol: How the numbers are taken.
        labels: What is scored, a row each: the classes, then the sets; see `metrics.to_rows`.
        scored: bool (C,), the rows that some label of the data is; the others have no IoU.
        matrix: int64 (C, C), rows true, columns predicted.
        frames: How many frames are in the matrix.
        bootstrap: Replicates for the interval of mean IoU.
        boundary: int64 (2, C), summed `boundary_counts`.
        calibration: Summed `calibration_counts`; None where no probabilities came.
        instances: Summed `instance_level_counts`; None where no instances came.
    """

    data_labels: LabelSet
    protocol: ScoringProtocol = NATIVE
    labels: LabelSet = field(init=False)
    scored: np.ndarray = field(init=False)
    matrix: np.ndarray = field(init=False)
    frames: int = 0
    bootstrap: MeanIoUBootstrap = field(init=False)
    boundary: np.ndarray = field(init=False)
    calibration: np.ndarray | None = None
    instances: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.labels = row_labels(self.data_labels)
        num_classes = len(self.labels)
        self.matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
        self.scored = scored_rows(self.data_labels)
        self.bootstrap = MeanIoUBootstrap(num_classes, scored=self.scored)
        self.boundary = np.zeros((2, num_classes), dtype=np.int64)

    def add(
        self,
        label_map: np.ndarray,
        mask: np.ndarray,
        *,
        probs: np.ndarray | None = None,
        instance_ids: np.ndarray | None = None,
    ) -> None:
        """Count one frame; takes and raises what `count_frame` does."""
        counts = count_frame(
            label_map, mask, self.data_labels, probs=probs, instance_ids=instance_ids
        )
        self.add_counts(counts)

    def add_counts(self, counts: FrameCounts) -> None:
        """Add one frame's counts; the interval is the same where frames come in the same order."""
        self.matrix += counts.matrix
        self.bootstrap.add(counts.matrix)
        self.boundary += counts.boundary
        if counts.calibration is not None:
            before = self.calibration
            self.calibration = counts.calibration + (0 if before is None else before)
        if counts.instances is not None:
            before = self.instances
            self.instances = counts.instances + (0 if before is None else before)
        self.frames += 1

    @property
    def scores(self) -> Scores:
        return scores(self.matrix, self.scored)

    @property
    def mean_iou_interval(self) -> Interval | None:
        """The 95 % interval of mean IoU over frames; None below two frames."""
        return self.bootstrap.interval()

    @property
    def boundary_iou(self) -> np.ndarray:
        """Boundary IoU float64 (C,); NaN where a class is absent."""
        return np.where(self.scored, boundary_iou(self.boundary), np.nan)

    @property
    def set_names(self) -> list[str]:
        """The rows that stand for several classes."""
        return list(self.labels.names[len(self.data_labels) :])

    @property
    def frequency_weighted_iou(self) -> float:
        return frequency_weighted_iou(self.matrix)

    @property
    def calibration_error(self) -> float | None:
        """The expected calibration error in 0..1; None where no probabilities came."""
        if self.calibration is None:
            return None
        return expected_calibration_error(self.calibration)

    @property
    def cityscapes(self) -> dict[str, Any] | None:
        """The four means of Cityscapes' benchmark and their parts; None for other classes."""
        if self.labels != CITYSCAPES_LABELS:
            return None
        return cityscapes_scores(self.matrix, self.instances)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; undefined is None, and what was not asked for is left out."""
        boundary = self.boundary_iou
        optional = {
            "expected_calibration_error": self.calibration_error,
            "cityscapes": self.cityscapes,
        }
        return {
            "protocol": self.protocol.to_dict(),
            "frames": self.frames,
            "mean_iou_interval_95": self.mean_iou_interval,
            **self.scores.to_dict(self.labels),
            "frequency_weighted_iou": none_if_nan(self.frequency_weighted_iou),
            "mean_boundary_iou": none_if_nan(mean_of_defined(boundary)),
            "boundary_iou": by_name(self.labels.names, boundary),
            **({"rows_of_sets": self.set_names} if self.data_labels.sets else {}),
            **{name: value for name, value in optional.items() if value is not None},
            "confusion_matrix": self.matrix.tolist(),
        }
