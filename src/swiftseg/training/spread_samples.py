"""Some samples of a data set, taken at even distances from its first to its last."""

from collections.abc import Iterator

import numpy as np

from swiftseg.core import Sample
from swiftseg.data import Dataset


def spread_samples(dataset: Dataset, most: int) -> Iterator[Sample]:
    """Yield at most so many samples, each read when it is asked for."""
    indices = np.linspace(0, len(dataset) - 1, min(most, len(dataset)))
    return (dataset[int(index)] for index in indices)
