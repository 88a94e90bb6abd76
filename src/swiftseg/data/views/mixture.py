"""Several data sets with unlike classes as one, in the classes of the first.

A label of the others is mapped to a class; to several, of which it may be any (see
`swiftseg.core.ClassSet`); or to `any`, which is ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from swiftseg.core import ClassSet, LabelSet, Sample, UsageError, unknown_name
from swiftseg.data.dataset import Dataset

ANY = "any"
IGNORED = 255  # where the first data set ignores nothing

LabelMapping = Mapping[str, str | Sequence[str]]
Classes = tuple[int, ...]  # one, several of which any may be right, or none: ignored


@dataclass(frozen=True)
class Part:
    """One of the data sets.

    Attributes:
        name: What errors call it.
        mapping: For its labels: a class of the first data set, several, or `any`. A label that is
            not listed is the class of its name.
    """

    name: str
    dataset: Dataset
    mapping: LabelMapping


class Mixture:
    """The frames of several data sets in turn, with masks of the first one's values.

    Raises:
        UsageError: A label is mapped to no class, or a mapping names a label that does not exist.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        meanings = [label_meanings(part, parts[0].dataset.labels) for part in parts]
        self.labels = mixed_labels(parts[0].dataset.labels, meanings)
        self.parts = [
            Relabeled(
                part.dataset, self.labels, value_table(part.dataset.labels, meaning, self.labels)
            )
            for part, meaning in zip(parts, meanings, strict=True)
        ]
        self.sizes = [len(part) for part in self.parts]
        self.ends = list(accumulate(self.sizes))

    def __len__(self) -> int:
        return self.ends[-1]

    def part_of(self, index: int) -> int:
        """Return which part a frame belongs to."""
        return int(np.searchsorted(self.ends, index, side="right"))

    def __getitem__(self, index: int, /) -> Sample:
        part = self.part_of(index)
        return self.parts[part][index - self.ends[part] + self.sizes[part]]

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def in_classes(part: Part, classes: LabelSet) -> "Relabeled":
    """Return a part by itself, its labels mapped into classes of which it may not have all.

    Raises:
        UsageError: A label is mapped to no class, or the mapping names a label that does not exist.
    """
    meanings = label_meanings(part, classes)
    labels = mixed_labels(classes, [meanings])
    return Relabeled(part.dataset, labels, value_table(part.dataset.labels, meanings, labels))


class Relabeled:
    """A data set whose masks are translated value by value."""

    def __init__(self, dataset: Dataset, labels: LabelSet, table: bytes) -> None:
        self.dataset, self.labels, self.table = dataset, labels, table

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        sample = self.dataset[index]
        mask = np.frombuffer(bytearray(sample.mask).translate(self.table), np.uint8)
        return replace(sample, mask=mask.reshape(sample.mask.shape))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


def label_meanings(part: Part, classes: LabelSet) -> dict[str, Classes]:
    """Return the classes that each label of a part may be, by the label's name."""
    labels = part.dataset.labels
    for name in part.mapping:
        if name not in (*labels.names, *(of_set.name for of_set in labels.sets)):
            raise UsageError(f"data set {part.name}: {unknown_name('label', name, labels.names)}")
    meanings = {name: meaning_of(part, name, classes) for name in labels.names}
    for of_set in labels.sets:
        if of_set.name in part.mapping:
            meanings[of_set.name] = meaning_of(part, of_set.name, classes)
        else:
            several = (meanings[labels.names[index]] for index in of_set.classes)
            meanings[of_set.name] = tuple(sorted({index for one in several for index in one}))
    return meanings


def meaning_of(part: Part, label: str, classes: LabelSet) -> Classes:
    try:
        return classes_named(label, part.mapping.get(label, label), classes)
    except UsageError as error:
        raise UsageError(f"data set {part.name}: {error}") from error


def classes_named(label: str, target: str | Sequence[str], classes: LabelSet) -> Classes:
    """Return the classes that a label stands for, by what it is mapped to.

    Raises:
        UsageError: It is mapped to what is no class.
    """
    names = [target] if isinstance(target, str) else target
    if ANY in names:
        return ()
    for name in names:
        if name not in classes.names:
            problem = unknown_name("class", name, (*classes.names, ANY))
            raise UsageError(f"the label {label!r} needs a class; {problem}")
    return tuple(sorted({classes.names.index(name) for name in names}))


def mixed_labels(classes: LabelSet, meanings: Sequence[Mapping[str, Classes]]) -> LabelSet:
    """Return the classes with the sets of all parts; equal sets are one, named by the first."""
    sets: dict[Classes, str] = {}
    alone: set[int] = set()
    for name, indices in (item for meaning in meanings for item in meaning.items()):
        if len(indices) == 1:
            alone.update(indices)
        elif indices:
            sets.setdefault(indices, name)
    return LabelSet(
        classes.names,
        classes.palette,
        IGNORED if classes.ignore_index is None else classes.ignore_index,
        tuple(ClassSet(name, indices) for indices, name in sets.items()),
        tuple(sorted(set(range(len(classes))) - alone)),
    )


def value_table(labels: LabelSet, meanings: Mapping[str, Classes], mixed: LabelSet) -> bytes:
    """Return the mixture's value for each of a part's, 256 bytes."""
    assert mixed.ignore_index is not None
    value_of = value_of_labels(meanings, mixed)
    table = bytearray([mixed.ignore_index] * 256)
    values = (*range(len(labels)), *labels.set_values)
    names = (*labels.names, *(of_set.name for of_set in labels.sets))
    for value, name in zip(values, names, strict=True):
        table[value] = value_of[name]
    return bytes(table)


def value_of_labels(meanings: Mapping[str, Classes], mixed: LabelSet) -> dict[str, int]:
    """Return the mask value that stands for each label among the mixture's."""
    assert mixed.ignore_index is not None
    value_of: dict[Classes, int] = {(index,): index for index in range(len(mixed))}
    value_of |= {s.classes: value for s, value in zip(mixed.sets, mixed.set_values, strict=True)}
    value_of[()] = mixed.ignore_index
    return {name: value_of[classes] for name, classes in meanings.items()}
