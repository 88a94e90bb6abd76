"""How often each class occurs, and what that means for training."""

from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.own.finding import Collector

RARE_SHARE = 1e-3


def _zeros() -> np.ndarray:
    return np.zeros(256, np.int64)


@dataclass
class ClassCounts:
    """Pixels of some masks.

    Attributes:
        pixels: int64 (256,), by class and ignore_index.
        where_present: int64 (256,), all pixels of the masks in which one occurs.
        masks: int64 (256,), the masks in which one occurs.
    """

    pixels: np.ndarray = field(default_factory=_zeros)
    where_present: np.ndarray = field(default_factory=_zeros)
    masks: np.ndarray = field(default_factory=_zeros)

    def add(self, in_mask: np.ndarray) -> None:
        """Add one mask's pixels by class, int64 (256,)."""
        self.pixels += in_mask
        self.where_present += np.where(in_mask > 0, in_mask.sum(), 0)
        self.masks += in_mask > 0

    def __add__(self, other: "ClassCounts") -> "ClassCounts":
        return ClassCounts(
            self.pixels + other.pixels,
            self.where_present + other.where_present,
            self.masks + other.masks,
        )


def training_counts(counts: dict[str, ClassCounts]) -> ClassCounts:
    """Return the counts of the training data: those of train, or of all where there is no train."""
    if "train" in counts:
        return counts["train"]
    return reduce(ClassCounts.__add__, counts.values(), ClassCounts())


def note_classes(collector: Collector, labels: LabelSet, counts: dict[str, ClassCounts]) -> None:
    """Note classes that never occur, occur in no training mask, or are rare."""
    total = reduce(ClassCounts.__add__, counts.values(), ClassCounts())
    train = training_counts(counts)
    if not total.pixels.any():
        return
    names = {i: name for i, name in enumerate(labels.names) if i not in labels.unlabeled}
    names |= {v: s.name for v, s in zip(labels.set_values, labels.sets, strict=True)}
    never = [name for i, name in names.items() if not total.pixels[i]]
    if never:
        message = f"classes that never occur: {', '.join(never)}"
        collector.note("warning", "class_never_occurs", message)
    untrained = [name for i, name in names.items() if total.pixels[i] and not train.pixels[i]]
    if untrained:
        message = f"classes that occur in no training mask: {', '.join(untrained)}"
        collector.note("warning", "class_not_in_train", message)
    labeled = max(int(train.pixels[list(names)].sum()), 1)
    shares = {name: train.pixels[i] / labeled for i, name in names.items() if train.pixels[i]}
    rare = [f"{name} ({share:.3%})" for name, share in shares.items() if share < RARE_SHARE]
    if rare:
        message = f"classes with less than {RARE_SHARE:.1%} of the pixels: {', '.join(rare)}"
        collector.note("warning", "imbalance", message)


def note_sets(collector: Collector, labels: LabelSet) -> None:
    """Note classes that only occur as one of several, and labels whose classes overlap."""
    in_sets = {index for of_set in labels.sets for index in of_set.classes}
    loose = [labels.names[index] for index in labels.unlabeled if index in in_sets]
    if loose:
        message = (
            f"classes without a label of their own: {', '.join(loose)}; a model learns them only "
            "if another data set tells them from the other classes of their labels"
        )
        collector.note("warning", "class_in_sets_only", message)
    for number, one in enumerate(labels.sets):
        for other in labels.sets[number + 1 :]:
            shared = [labels.names[i] for i in one.classes if i in other.classes]
            if shared:
                message = f"the labels {one.name} and {other.name} may both be {', '.join(shared)}"
                collector.note("note", "overlapping_sets", message)
