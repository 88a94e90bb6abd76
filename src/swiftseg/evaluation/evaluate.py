"""Any segmenter on any data set, scored at the resolution of the labels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data import Dataset
from swiftseg.inference import Segmenter
from swiftseg.metrics import Scores, confusion_matrix, scores


@dataclass
class Evaluation:
    """A running evaluation: one confusion matrix over all frames seen so far.

    Attributes:
        labels: The classes.
        matrix: int64 (C, C), rows true, columns predicted.
        frames: How many frames are in the matrix.
    """

    labels: LabelSet
    matrix: np.ndarray = field(init=False)
    frames: int = 0

    def __post_init__(self) -> None:
        self.matrix = np.zeros((len(self.labels), len(self.labels)), dtype=np.int64)

    @property
    def scores(self) -> Scores:
        return scores(self.matrix)

    def to_dict(self) -> dict[str, Any]:
        """Gives plain JSON types."""
        return {
            "frames": self.frames,
            **self.scores.to_dict(self.labels),
            "confusion_matrix": self.matrix.tolist(),
        }


def evaluate_frames(segmenter: Segmenter, dataset: Dataset) -> Iterator[Evaluation]:
    """Segments and scores frame by frame; yields the running evaluation after each.

    Label maps come back from the segmenter at the frame's own size, which is the mask's, so
    predictions are brought to the labels and never the labels to the predictions.

    Raises:
        SwiftsegError: The model's classes are not the data's.
    """
    model_labels, labels = segmenter.spec.labels, dataset.labels
    if model_labels.names != labels.names:
        raise SwiftsegError(
            f"model {segmenter.spec.name} knows {len(model_labels)} classes "
            f"({', '.join(model_labels.names)}) where the data has {len(labels)} "
            f"({', '.join(labels.names)})"
        )
    evaluation = Evaluation(labels)
    for sample in dataset:
        label_map = segmenter(sample.image).label_map
        evaluation.matrix += confusion_matrix(
            label_map, sample.mask, len(labels), labels.ignore_index
        )
        evaluation.frames += 1
        yield evaluation


def evaluate(segmenter: Segmenter, dataset: Dataset) -> Evaluation:
    """Scores a segmenter on a whole data set; raises as `evaluate_frames` does."""
    evaluation = Evaluation(dataset.labels)
    for evaluation in evaluate_frames(segmenter, dataset):  # noqa: B007 the last one is the result
        pass
    return evaluation
