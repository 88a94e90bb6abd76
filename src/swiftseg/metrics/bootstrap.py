"""How far mean IoU would move with other frames of the same kind: a bootstrap over images.

The Poisson bootstrap (Hanley and MacGibbon 2006; Chamandy et al. 2012): each of many replicates
takes each frame as often as a Poisson variable of mean 1 says, which is what drawing as many frames
as there are, with replacement, comes to. Replicates are summed up frame by frame, so that memory
does not depend on the number of frames.

Frames count as independent. Neighbors in a video are not, and their interval is too narrow.
"""

from typing import NamedTuple

import numpy as np

from swiftseg.metrics.confusion import divide

REPLICATES = 1000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """The bounds of a confidence interval, each in 0..1."""

    low: float
    high: float


class MeanIoUBootstrap:
    """Replicates of a data set's mean IoU.

    The same frames in the same order and the same seed give the same interval.
    """

    def __init__(
        self, num_classes: int, seed: int = 0, *, scored: np.ndarray | None = None
    ) -> None:
        self.frames = 0
        self.scored = np.ones(num_classes, dtype=bool) if scored is None else scored
        self._rng = np.random.default_rng(seed)
        self._hits_and_unions = np.zeros((REPLICATES, 2 * num_classes))

    def add(self, matrix: np.ndarray) -> None:
        """Take one frame's confusion matrix int64 (C, C), rows true, columns predicted."""
        hits = np.diag(matrix)
        union = matrix.sum(axis=1) + matrix.sum(axis=0) - hits
        times = self._rng.poisson(1.0, REPLICATES)
        union = np.where(self.scored, union, 0)
        self._hits_and_unions += times[:, None] * np.concatenate([hits, union])
        self.frames += 1

    def interval(self) -> Interval | None:
        """Return the percentile interval at `CONFIDENCE`; None below two frames or without IoU."""
        hits, unions = np.hsplit(self._hits_and_unions, 2)
        drawn = unions.any(axis=1)  # with few frames a replicate may hold none of them
        if self.frames < 2 or not drawn.any():
            return None
        means = np.nanmean(divide(hits[drawn], unions[drawn]), axis=1)
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        return Interval(float(low), float(high))
