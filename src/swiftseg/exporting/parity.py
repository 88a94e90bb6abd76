"""Does a file answer as the network it came from? Both run on the same frames."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.runtimes import BACKENDS, ENGINES, Backend, labels_of, load_backend
from swiftseg.runtimes.base import upsampled_of
from swiftseg.runtimes.file_backend import FileBackend

# Engines add up in another order than torch. Where two classes, or two neighbors that max pooling
# chooses from, are within that rounding, the answer may turn: on one pixel of ten thousand at most.
MIN_EQUAL_LABELS = 0.9999

# Such a turned choice moves a few logits by much, so the largest difference is told and the mean
# one judged, in units of the logits' own standard deviation. Rounding in float32 gives about 1e-6,
# bfloat16 or a wrong operator more than 1e-3.
MAX_MEAN_DIFFERENCE = 1e-4

FRAMES_AT_ONCE = 2  # more than one, since the file promises any number


@dataclass(frozen=True)
class EngineParity:
    """One engine against torch.

    Attributes:
        engine: The backend's name.
        largest_difference: Largest absolute difference of the logits (of the probabilities, where
            the file gives those alone).
        mean_difference: Mean absolute difference over the standard deviation of torch's values.
        equal_labels: Share of pixels with the same label, 0..1.
    """

    engine: str
    largest_difference: float
    mean_difference: float
    equal_labels: float

    @property
    def passed(self) -> bool:
        """Within both tolerances; values that are no numbers are not."""
        return self.mean_difference <= MAX_MEAN_DIFFERENCE and self.equal_labels >= MIN_EQUAL_LABELS


@dataclass(frozen=True)
class ParityReport:
    """Every installed engine against torch, on the same frames."""

    frames: int
    engines: tuple[EngineParity, ...]

    def check(self, path: Path) -> None:
        """Raises SwiftsegError, naming `path` as what was not written, if an engine failed."""
        for parity in self.engines:
            if not parity.passed:
                raise SwiftsegError(
                    f"{path} not written: on {self.frames} frames {parity.engine} gives "
                    f"{parity.equal_labels:.4%} of torch's labels (at least "
                    f"{MIN_EQUAL_LABELS:.2%}) and a mean difference of "
                    f"{parity.mean_difference:.1e} standard deviations (at most "
                    f"{MAX_MEAN_DIFFERENCE:.0e})"
                )


def measure_parity(reference: Backend, path: Path, frames: Iterable[np.ndarray]) -> ParityReport:
    """Compares a file with the network it came from, in every engine that is installed.

    Args:
        reference: The network in torch, with the file's spec.
        path: The exported file.
        frames: uint8 (*size_hw, 3), RGB.

    Raises:
        SwiftsegError: There are no frames, or an engine cannot load the file.
    """
    engines = list(_installed_engines(path))
    differences = [_Differences() for _ in engines]
    values = _Moments()
    count = 0
    for batch in _batches(frames):
        count += len(batch)
        with reference.running(batch) as answer:
            is_probs = reference.spec.output == "probs"
            scores = answer.probabilities() if is_probs else answer.upsampled()
            labels = answer.labels()
        values.add(scores)
        for (ours, whole), difference in zip(engines, differences, strict=True):
            difference.add(labels, scores, labels_of(ours, batch), upsampled_of(whole, batch))
    if not count:
        raise SwiftsegError("no frames to compare on")
    deviation = values.deviation()
    return ParityReport(
        count,
        tuple(
            difference.result(ours.engine.backend, deviation)
            for (ours, _), difference in zip(engines, differences, strict=True)
        ),
    )


class _Moments:
    """Running sums for a standard deviation."""

    def __init__(self) -> None:
        self.count, self.sum, self.sum_of_squares = 0, 0.0, 0.0

    def add(self, values: np.ndarray) -> None:
        self.count += values.size
        self.sum += float(values.sum(dtype=np.float64))
        self.sum_of_squares += float(np.square(values, dtype=np.float64).sum())

    def deviation(self) -> float:
        mean = self.sum / self.count
        return max(self.sum_of_squares / self.count - mean * mean, 0.0) ** 0.5


class _Differences:
    """Running differences of one engine."""

    def __init__(self) -> None:
        self.largest, self.sum, self.values = 0.0, 0.0, 0
        self.equal, self.pixels = 0, 0

    def add(
        self, labels: np.ndarray, scores: np.ndarray, own_labels: np.ndarray, own_scores: np.ndarray
    ) -> None:
        apart = np.abs(own_scores - scores)
        self.largest = float(np.maximum(self.largest, apart.max()))  # keeps NaN, as max() does not
        self.sum += float(apart.sum(dtype=np.float64))
        self.values += apart.size
        self.equal += int((own_labels == labels).sum())
        self.pixels += labels.size

    def result(self, engine: str, deviation: float) -> EngineParity:
        mean = self.sum / self.values
        # A network that gives one value everywhere has no deviation to measure by.
        relative = mean / deviation if deviation else mean
        return EngineParity(engine, self.largest, relative, self.equal / self.pixels)


def _installed_engines(path: Path) -> Iterator[tuple[FileBackend, FileBackend]]:
    """Yield each installed engine twice: as we run the file, and as everybody else does."""
    for name in BACKENDS:
        try:
            ours = load_backend(path, name=name)
        except MissingExtraError:
            continue
        yield ours, FileBackend(path, ours.engine, ENGINES[name].find(), cuts_head=False)


def _batches(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    batch: list[np.ndarray] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == FRAMES_AT_ONCE:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
