"""A data set brought to one size, as some papers score it."""

from collections.abc import Iterator

from swiftseg.core import LabelSet, Sample
from swiftseg.data.dataset import Dataset
from swiftseg.kernels.resize import resize_frame, resize_labels


class Resized:
    """Frames (bilinear, averaging where they shrink) and masks (nearest) at `size_hw`."""

    def __init__(self, dataset: Dataset, size_hw: tuple[int, int]) -> None:
        self.dataset = dataset
        self.size_hw = size_hw
        self.labels: LabelSet = dataset.labels

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        sample = self.dataset[index]
        image = resize_frame(sample.image, self.size_hw)
        return Sample(sample.name, image, resize_labels(sample.mask, self.size_hw))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
