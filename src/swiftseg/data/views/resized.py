"""A data set brought to one size, as some papers score it."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, Sample
from swiftseg.data.dataset import Dataset
from swiftseg.kernels.resize import resize_frame


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
        if sample.mask.shape == self.size_hw:
            return sample
        size_wh = self.size_hw[1], self.size_hw[0]
        mask = Image.fromarray(sample.mask).resize(size_wh, Image.Resampling.NEAREST)
        return Sample(sample.name, resize_frame(sample.image, self.size_hw), np.array(mask))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))
