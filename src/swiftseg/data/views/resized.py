"""A data set brought to one size, as some papers score it."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, Sample
from swiftseg.data.dataset import Dataset


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
        image = self._resized(sample.image, Image.Resampling.BILINEAR)
        return Sample(sample.name, image, self._resized(sample.mask, Image.Resampling.NEAREST))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def _resized(self, pixels: np.ndarray, resampling: Image.Resampling) -> np.ndarray:
        height, width = self.size_hw
        return np.array(Image.fromarray(pixels).resize((width, height), resampling))
