"""Any segmenter on any data set, scored at the resolution of the labels."""

from collections.abc import Callable, Iterator

import numpy as np

from swiftseg.core import Sample, SwiftsegError
from swiftseg.data import Dataset
from swiftseg.data.published.cityscapes_instances import instance_paths, read_instances
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.protocol import NATIVE, Protocol
from swiftseg.evaluation.read_ahead import read_ahead
from swiftseg.inference import AveragingSegmenter, Segmenter

OnFrame = Callable[[Sample, np.ndarray], None]


def evaluate_frames(
    segmenter: Segmenter | AveragingSegmenter,
    dataset: Dataset,
    *,
    protocol: Protocol = NATIVE,
    calibration: bool = False,
    on_frame: OnFrame | None = None,
) -> Iterator[Evaluation]:
    """Segments and scores frame by frame; yields the running evaluation after each.

    Label maps come back from the segmenter at the frame's own size, which is the mask's, so
    predictions are brought to the labels and never the labels to the predictions. Frames are read
    by a thread while the network is at work.

    Args:
        segmenter: As `protocol.segmenter` gives it.
        dataset: As it was opened; what the protocol does to it is done here.
        protocol: How the numbers are taken.
        calibration: Whether to take probabilities, which need a file with logits and more time,
            for the expected calibration error.
        on_frame: Is handed every sample and its label map.

    Raises:
        SwiftsegError: The model's classes are not the data's.
    """
    instances = instance_paths(dataset) if protocol.size_hw is None else None
    dataset = protocol.view(dataset)
    _check_classes(segmenter, dataset)
    evaluation = Evaluation(dataset.labels, protocol)

    def read(index: int) -> tuple[Sample, np.ndarray | None]:
        sample = dataset[index]
        height, width = sample.mask.shape
        ids = read_instances(instances[index], (height, width)) if instances else None
        return sample, ids

    for sample, instance_ids in read_ahead(read, len(dataset)):
        label_map, probs = _predict(segmenter, sample.image, calibration=calibration)
        evaluation.add(label_map, sample.mask, probs=probs, instance_ids=instance_ids)
        if on_frame is not None:
            on_frame(sample, label_map)
        yield evaluation


def evaluate(
    segmenter: Segmenter | AveragingSegmenter, dataset: Dataset, *, protocol: Protocol = NATIVE
) -> Evaluation:
    """Scores a segmenter on a whole data set; raises as `evaluate_frames` does."""
    evaluation = Evaluation(protocol.view(dataset).labels, protocol)
    for evaluation in evaluate_frames(segmenter, dataset, protocol=protocol):  # noqa: B007
        pass  # the last one is the result
    return evaluation


def _predict(
    segmenter: Segmenter | AveragingSegmenter, image: np.ndarray, *, calibration: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Gives the label map and, if wanted, probabilities; these never change the label map."""
    probs = segmenter.probabilities(image) if calibration else None
    if probs is not None and isinstance(segmenter, AveragingSegmenter):
        return probs.argmax(axis=0).astype(np.uint8), probs  # as it does itself
    return segmenter(image).label_map, probs


def _check_classes(segmenter: Segmenter | AveragingSegmenter, dataset: Dataset) -> None:
    model_labels, labels = segmenter.spec.labels, dataset.labels
    if isinstance(dataset, WithVoidClass) and model_labels.names == labels.names[:-1]:
        raise SwiftsegError(
            f"model {segmenter.spec.name} has not learned the class void, which this protocol "
            "scores; train with --set void_as_class=true, or choose a protocol such as native"
        )
    if model_labels.names != labels.names:
        raise SwiftsegError(
            f"model {segmenter.spec.name} knows {len(model_labels)} classes "
            f"({', '.join(model_labels.names)}) where the data has {len(labels)} "
            f"({', '.join(labels.names)}); a data set's other class sets are named by --dataset"
        )
