"""Scores averaged over the frames of a video, against labels that flicker.

Averaging and upsampling change places: what is averaged is as small as the network gives it.
"""

from collections.abc import Generator
from contextlib import contextmanager

import numpy as np

from swiftseg.core import UsageError
from swiftseg.runtimes import Backend
from swiftseg.runtimes.base import ClassScores


class SmoothedBackend:
    """Runs the frames of one video in order; its labels are those of an average over time.

    The average is exponential: a = smooth * a + (1 - smooth) * scores, starting with the first
    frame's scores. See `swiftseg.runtimes.base.Backend`; unlike others it belongs to one thread.

    Args:
        backend: Runs the model.
        smooth: The share that stays, 0 (each frame alone) to below 1. A change takes about
            1 / (1 - smooth) frames to show.

    Raises:
        UsageError: `smooth` is outside that range.
    """

    def __init__(self, backend: Backend, smooth: float) -> None:
        check_smooth(smooth)
        self.engine = backend.engine
        self.spec = backend.spec
        self.any_size = backend.any_size
        self._backend = backend
        self._smooth = np.float32(smooth)
        self._average: np.ndarray | None = None  # float32 (C, h, w)

    @contextmanager
    def running(self, batch: np.ndarray) -> Generator[ClassScores]:
        """Run frames uint8 (N, H, W, 3) that follow each other; see `Backend`."""
        with self._backend.running(batch) as scores:
            averages = [self._next(own) for own in scores.values]
            values = averages[0][None] if len(averages) == 1 else np.stack(averages)
            yield scores.replaced(values)

    def at_size(self, size_hw: tuple[int, int]) -> "SmoothedBackend":
        """Return a backend of the same smoothing at another size, whose average begins anew."""
        if size_hw == self.spec.input.size_hw:
            return self
        return SmoothedBackend(self._backend.at_size(size_hw), float(self._smooth))

    def _next(self, scores: np.ndarray) -> np.ndarray:
        """Return the average with one more frame's scores float32 (C, h, w) in it."""
        average = scores.copy()
        if self._average is not None:
            # Class by class, so that what is computed between stays in the cache.
            for mean, before in zip(average, self._average, strict=True):
                mean *= 1 - self._smooth
                mean += self._smooth * before
        self._average = average
        return average


def check_smooth(smooth: float) -> None:
    """Raise UsageError where the value is not from 0 to below 1."""
    if not 0 <= smooth < 1:
        raise UsageError(
            f"expected a smoothing from 0 (off) to below 1 (which would keep the first frame's "
            f"labels forever), got {smooth:g}"
        )
