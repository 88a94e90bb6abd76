"""Any segmenter on any data set, scored at the resolution of the labels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from swiftseg.core import Sample, SwiftsegError
from swiftseg.core.in_threads import one_ahead
from swiftseg.core.progress import LateProgress
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.published.cityscapes_instances import instance_paths, read_instances
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.evaluation.evaluation import Evaluation, FrameCounts, count_frame
from swiftseg.evaluation.protocol import NATIVE, ScoringProtocol, find_protocol
from swiftseg.inference import AveragingSegmenter, Segmenter

OnFrame = Callable[[Sample, np.ndarray], None]


def count_frames(
    segmenter: Segmenter | AveragingSegmenter,
    dataset: Dataset,
    indices: Sequence[int],
    *,
    protocol: ScoringProtocol,
    calibration_error: bool = False,
    on_frame: OnFrame | None = None,
) -> Iterator[FrameCounts]:
    """Segment and count some frames of a data set, in the order of their indices.

    Label maps come back from the segmenter at the frame's own size, which is the mask's, so
    predictions are brought to the labels and never the labels to the predictions. Frames are read
    by a thread while the network is at work, but for large ones, which are read one at a time.

    The segmenter is what `protocol.segmenter` returned, and the data are as they were opened; the
    other arguments are those of `evaluate`.

    Raises:
        SwiftsegError: The model's classes are not the data's.
    """
    instances = instance_paths(dataset) if protocol.size_hw is None else None
    dataset = protocol.view(dataset)
    _check_classes(segmenter, dataset)

    def read(index: int) -> tuple[Sample, np.ndarray | None]:
        sample = dataset[index]
        height, width = sample.mask.shape
        ids = read_instances(instances[index], (height, width)) if instances else None
        return sample, ids

    def count(found: tuple[Sample, np.ndarray | None]) -> FrameCounts:
        sample, instance_ids = found
        label_map, probs = _predict(segmenter, sample.image, with_probabilities=calibration_error)
        counts = count_frame(
            label_map, sample.mask, dataset.labels, probs=probs, instance_ids=instance_ids
        )
        if on_frame is not None:
            on_frame(sample, label_map)
        return counts

    yield from map(count, one_ahead(read, indices, pixels_of=lambda found: found[0].mask.size))


def evaluate(
    model: Segmenter | Path | str,
    data: Dataset | Path | str,
    *,
    split: str = "val",
    dataset: str | None = None,
    protocol: ScoringProtocol | str | None = None,
    calibration_error: bool = False,
    on_frame: OnFrame | None = None,
    show_progress: bool = True,
) -> Evaluation:
    """Score a model on labeled data.

    Args:
        model: A segmenter, or what `Segmenter.load` takes.
        data: An open data set, or what `open_dataset` takes.
        split: The part of the data, where they are not open yet.
        dataset: The reader of the data, see `open_dataset`; None recognizes them.
        protocol: How the numbers are taken, one of `PROTOCOLS` or a protocol of your own; None
            takes what fits the model and the data, see `fitting_protocol`.
        calibration_error: Whether to compute the expected calibration error too.
        on_frame: Is handed every sample and its label map.
        show_progress: Whether work that lasts shows a bar, where stderr is a terminal.

    Raises:
        UsageError: A name is unknown.
        SwiftsegError: The model's classes are not the data's, or something cannot be read.
    """
    segmenter = model if isinstance(model, Segmenter) else Segmenter.load(model)
    if isinstance(data, Path | str):
        data = open_dataset(data, split, dataset)
    if protocol is None:
        protocol = fitting_protocol(segmenter, data)
    elif isinstance(protocol, str):
        protocol = find_protocol(protocol)
    evaluation = Evaluation(protocol.view(data).labels, protocol)
    with LateProgress(f"evaluating {segmenter.spec.name}", enabled=show_progress) as progress:
        progress.expect(len(data))
        for counts in count_frames(
            protocol.segmenter(segmenter),
            data,
            range(len(data)),
            protocol=protocol,
            calibration_error=calibration_error,
            on_frame=on_frame,
        ):
            evaluation.add_counts(counts)
            progress.advance()
    return evaluation


def fitting_protocol(segmenter: Segmenter, dataset: Dataset) -> ScoringProtocol:
    """Return the native protocol in the form that a model and data ask for.

    Void is a class where the model has learned it as one, and the network goes over the frames in
    windows where it has learned from crops.
    """
    sliding = segmenter.spec.sliding_windows
    has_void = dataset.labels.ignore_index is not None and not dataset.labels.sets
    learned_void = has_void and WithVoidClass(dataset).labels.names == segmenter.spec.labels.names
    return replace(NATIVE, void_as_class=learned_void, sliding=sliding)


def _predict(
    segmenter: Segmenter | AveragingSegmenter, image: np.ndarray, *, with_probabilities: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the label map and, if asked for, probabilities; these never change the label map."""
    if not with_probabilities:
        return segmenter(image).label_map, None
    if isinstance(segmenter, AveragingSegmenter):
        probs = segmenter.probabilities(image)
        return probs.argmax(axis=0).astype(np.uint8), probs  # as it does itself
    result = segmenter.segment(segmenter.prepare(image), with_probabilities=True)
    return result.label_map, result.probabilities


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
            f"({', '.join(labels.names)}); choose another class set of the data with --dataset"
        )
