"""The temperature that makes a model's confidence true, from labeled frames it has not learned."""

import numpy as np

from swiftseg.data import Dataset
from swiftseg.inference import Segmenter
from swiftseg.metrics.calibration import fit_temperature

MOST_FRAMES = 64  # evenly taken of more
_PIXELS = 4000  # of a frame, evenly taken: neighbors say the same


def measure_temperature(segmenter: Segmenter, dataset: Dataset) -> float:
    """Return the temperature of a model, see `swiftseg.core.ModelSpec`.

    Void is left out.

    Returns:
        1 where no pixel counts.
    """
    step = max(1, -(-len(dataset) // MOST_FRAMES))
    parts = [confident_pixels(segmenter, dataset, index) for index in range(0, len(dataset), step)]
    probs = np.concatenate([part for part, _ in parts], axis=1)
    classes = np.concatenate([part for _, part in parts])
    return fit_temperature(probs, classes) if len(classes) else 1.0


def confident_pixels(
    segmenter: Segmenter, dataset: Dataset, index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return class probabilities float32 (C, N) and true classes (N,) of some of a frame."""
    sample = dataset[index]
    probs = segmenter.probabilities(sample.image)
    probs = probs.reshape(len(probs), -1)
    mask = sample.mask.ravel()
    taken = np.arange(0, mask.size, max(1, mask.size // _PIXELS))
    ignored = dataset.labels.ignore_index
    if ignored is not None:
        taken = taken[mask[taken] != ignored]
    return probs[:, taken], mask[taken]
