"""Void as one more class, as the SegFast paper counts it (its CamVid has 12 classes)."""

from collections.abc import Iterator

import numpy as np

from swiftseg.core import LabelSet, Sample, SwiftsegError
from swiftseg.data.dataset import Dataset


class WithVoidClass:
    """A data set whose ignored pixels are the class `void`, the last one.

    Raises:
        SwiftsegError: The data ignore nothing, or hold sets of classes.
    """

    def __init__(self, dataset: Dataset) -> None:
        labels = dataset.labels
        if labels.ignore_index is None:
            raise SwiftsegError("the data have no ignored pixels to make a class of")
        if labels.sets:
            raise SwiftsegError(
                f"void cannot be a class beside the label {labels.sets[0].name!r}, which stands "
                "for several classes; leave void_as_class out"
            )
        self.dataset = dataset
        self.ignore_index = labels.ignore_index
        self.labels = LabelSet((*labels.names, "void"), (*labels.palette, (0, 0, 0)))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        sample = self.dataset[index]
        void = len(self.labels) - 1
        mask = np.where(sample.mask == self.ignore_index, np.uint8(void), sample.mask)
        return Sample(sample.name, sample.image, mask)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
