"""The examination of a published dataset, whose reader knows what its masks mean."""

from functools import partial

import numpy as np

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.in_threads import in_threads
from swiftseg.core.progress import LateProgress
from swiftseg.data.dataset import Dataset
from swiftseg.data.doctor.class_counts import ClassCounts, note_classes
from swiftseg.data.doctor.diagnosis import Diagnosis
from swiftseg.data.opening import open_dataset
from swiftseg.data.own.finding import Collector

LABELED_SPLITS = ("train", "val")  # of a test many keep the masks
EXPORT = "annotations"  # of a labeling tool, whose test is labeled where it is not empty


def examine_published(diagnosis: Diagnosis, name: str, progress: LateProgress | None) -> None:
    """Read every frame of training and validation as these would, and count the classes."""
    collector = Collector()
    message = f"{diagnosis.source}: the tree of {name}, read by its own reader"
    collector.note("note", "published_dataset", message)
    splits = _open_splits(diagnosis, name, collector)
    if not splits:
        message = f"{diagnosis.source}: no two labeled images, which training and validation need"
        collector.note("broken", "too_few", message)
    if progress:
        progress.expect(sum(map(len, splits.values())))
    for split, dataset in splits.items():
        diagnosis.splits[split] = len(dataset)
        counts = diagnosis.counts[split] = ClassCounts()
        for found in in_threads(partial(_read, dataset), range(len(dataset))):
            if progress:
                progress.advance()
            if isinstance(found, SwiftsegError):
                collector.note("broken", "unreadable_pair", str(found))
                continue
            diagnosis.sizes[found[0]] += 1
            counts.add(found[1])
        diagnosis.published_labels = dataset.labels
        for finding in getattr(dataset, "findings", ()) if split == next(iter(splits)) else ():
            collector.add(finding)
    if diagnosis.published_labels is not None:
        note_classes(collector, diagnosis.published_labels, diagnosis.counts)
    diagnosis.findings = collector.findings()


def _open_splits(diagnosis: Diagnosis, name: str, collector: Collector) -> dict[str, Dataset]:
    splits: dict[str, Dataset] = {}
    for split in (*LABELED_SPLITS, *(("test",) if name == EXPORT else ())):
        try:
            splits[split] = open_dataset(diagnosis.source, split, name)
        except UsageError:
            continue  # this dataset has no such split
        except SwiftsegError as error:
            severity = "broken" if split in LABELED_SPLITS else "note"
            collector.note(severity, "unreadable_split", f"{split}: {error}")
    return splits


def _read(dataset: Dataset, index: int) -> tuple[tuple[int, int], np.ndarray] | SwiftsegError:
    """Return a frame's size and its pixels by class, int64 (256,), or why it cannot be read."""
    try:
        sample = dataset[index]
    except SwiftsegError as error:
        return error
    height, width = sample.mask.shape
    return (height, width), np.bincount(sample.mask.ravel(), minlength=256)
