"""Mean and deviation of each band, counted from the data."""

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.in_threads import in_threads
from swiftseg.core.spec import described_bands
from swiftseg.data import Dataset

SMALLEST_STD = 1e-6  # a band of one value everywhere has no deviation to divide by


def band_statistics(dataset: Dataset) -> tuple[list[float], list[float]]:
    """Return each band's mean and deviation over all pixels of all images.

    The images are read once, one after the other. Values of 8 bits are scaled to 0..1 first, as
    `InputSpec` has them; others count as they are.

    Raises:
        SwiftsegError: The images have several numbers of bands or types.
    """
    count, mean, squares = 0, np.zeros(0), np.zeros(0)
    kind: tuple[int, str] | None = None
    for name, image in in_threads(lambda index: _values(dataset, index), range(len(dataset))):
        own = image.shape[2], image.dtype.name
        kind = kind or own
        if own != kind:
            raise SwiftsegError(
                f"{name}: {described_bands(*own)} where others have {described_bands(*kind)}"
            )
        pixels = image.reshape(-1, own[0]).astype(np.float64)
        # Merged as Chan, Golub and LeVeque do, since sums of squares lose large means' deviation.
        size, own_mean = len(pixels), pixels.mean(axis=0)
        if not count:
            mean, squares = np.zeros(own[0]), np.zeros(own[0])
        apart = own_mean - mean
        total = count + size
        squares += ((pixels - own_mean) ** 2).sum(axis=0) + apart**2 * count * size / total
        mean, count = mean + apart * size / total, total
    assert kind is not None
    scale = 255.0 if kind[1] == "uint8" else 1.0
    std = np.maximum(np.sqrt(squares / count) / scale, SMALLEST_STD)
    return [float(f"{v:.6g}") for v in mean / scale], [float(f"{v:.6g}") for v in std]


def _values(dataset: Dataset, index: int) -> tuple[str, np.ndarray]:
    sample = dataset[index]
    return sample.name, sample.image
