"""The sample pictures of a run."""

import numpy as np

from swiftseg.data import Dataset
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.render import colorize, overlay

SAMPLE_FRAMES = 3


def sample_pictures(
    segmenter: Segmenter | AveragingSegmenter, dataset: Dataset
) -> list[list[np.ndarray]]:
    """Gives frame, truth and prediction of frames spread over the data, uint8 (H, W, 3) each."""
    labels = dataset.labels
    chosen = np.linspace(0, len(dataset) - 1, min(SAMPLE_FRAMES, len(dataset))).astype(int)
    rows: list[list[np.ndarray]] = []
    for index in chosen:
        sample = dataset[int(index)]
        label_map = segmenter(sample.image).label_map
        rows.append(
            [
                sample.image,
                colorize(sample.mask, labels),
                overlay(sample.image, label_map, labels),
            ]
        )
    return rows
