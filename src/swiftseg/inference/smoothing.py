"""Logits averaged over the frames of a video, against labels that flicker.

Averaging and upsampling change places: what is averaged is as small as the network gives it.
"""

from dataclasses import replace

import numpy as np

from swiftseg.core import UsageError
from swiftseg.runtimes import Backend


class SmoothingBackend:
    """Runs the frames of one video in order; its labels are those of an average over time.

    The average is exponential: a = smooth * a + (1 - smooth) * logits, starting with the first
    frame's logits. See `swiftseg.runtimes.base.Backend`.

    Args:
        backend: Runs the model; its file holds logits.
        smooth: The part that stays, 0 (each frame alone) to below 1. A change takes about
            1 / (1 - smooth) frames to show.

    Raises:
        UsageError: `smooth` is outside that range.
    """

    def __init__(self, backend: Backend, smooth: float) -> None:
        check_smooth(smooth)
        self.name = backend.name
        self.spec = replace(backend.spec, output="labels")
        self._backend = backend
        self._smooth = np.float32(smooth)
        self._average: np.ndarray | None = None  # float32 (C, h, w)

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Runs frames uint8 (N, H, W, 3) that follow each other; gives labels uint8 (N, H, W)."""
        return np.stack([self._labels(scores) for scores in self._backend.run_scores(batch)])

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        """Gives each frame's own logits float32 (N, C, H, W)."""
        return self._backend.run_logits(batch)

    def run_scores(self, batch: np.ndarray) -> np.ndarray:
        """Gives what each frame's own labels are made of, float32 (N, C, h, w)."""
        return self._backend.run_scores(batch)

    def scores_to_labels(self, scores: np.ndarray) -> np.ndarray:
        """Makes labels uint8 (N, H, W) of scores."""
        return self._backend.scores_to_labels(scores)

    def _labels(self, scores: np.ndarray) -> np.ndarray:
        if self._average is None:
            self._average = scores.copy()
        else:
            # Class by class, so that what is computed between stays in the cache.
            for average, own in zip(self._average, scores, strict=True):
                average *= self._smooth
                average += (1 - self._smooth) * own
        return self._backend.scores_to_labels(self._average[None])[0]


def check_smooth(smooth: float) -> None:
    """Raises UsageError where the value is not from 0 to below 1."""
    if not 0 <= smooth < 1:
        raise UsageError(
            f"expected a smoothing from 0 (off) to below 1 (which would keep the first frame's "
            f"labels for ever), got {smooth:g}"
        )
