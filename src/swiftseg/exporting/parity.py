"""Does a file answer as the network it came from? Both run on the same frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.runtimes import BACKENDS, ENGINES, Backend, labels_of, load_backend
from swiftseg.runtimes.base import upsampled_of
from swiftseg.runtimes.file_backend import FileBackend

# Engines add up in another order than torch. Where two classes, or two neighbors that max pooling
# chooses from, are within that rounding, the answer may turn: usually on one pixel of ten thousand
# at most. Networks that are unsure, or that pool often, turn more; below the second share a file
# computes something else.
MIN_EQUAL_LABELS, LEAST_EQUAL_LABELS = 0.9999, 0.999

# Such a turned choice moves a few logits by much, and a mean over all with them, most of all in a
# network that has learned little. So the largest difference is told, and judged is what nine in ten
# logits stay within, in units of their own standard deviation. Rounding in float32 gives about
# 1e-6 to 1e-5, bfloat16 or a wrong operator more than 1e-3.
MAX_USUAL_DIFFERENCE = 1e-4
USUAL_SHARE = 0.9

FRAMES_AT_ONCE = 2  # more than one, since the file promises any number


@dataclass(frozen=True)
class EngineParity:
    """One engine against torch.

    Attributes:
        largest_difference: Largest absolute difference of the logits (of the probabilities, where
            the file gives those alone).
        usual_difference: What `USUAL_SHARE` of the absolute differences stay within, over the
            standard deviation of torch's values.
        equal_labels: Share of pixels with the same label, 0..1.
    """

    engine: str
    largest_difference: float
    usual_difference: float
    equal_labels: float

    @property
    def passed(self) -> bool:
        """Within both tolerances; values that are no numbers are not."""
        return (
            self.usual_difference <= MAX_USUAL_DIFFERENCE
            and self.equal_labels >= LEAST_EQUAL_LABELS
        )


@dataclass(frozen=True)
class ParityReport:
    """Every installed engine against torch, on the same frames."""

    frames: int
    engines: tuple[EngineParity, ...]

    @property
    def equal_labels(self) -> float:
        """Share of pixels with torch's label, 0..1, in the engine that agrees least."""
        return min(parity.equal_labels for parity in self.engines)

    def warning(self, path: Path) -> str | None:
        """Return what to say of a file that passed with more unequal labels than usual."""
        if self.equal_labels >= MIN_EQUAL_LABELS:
            return None
        worst = min(self.engines, key=lambda parity: parity.equal_labels)
        return (
            f"{path}: on {self.frames} frames {worst.engine} gives {worst.equal_labels:.4%} of "
            f"torch's labels, where {MIN_EQUAL_LABELS:.2%} are usual; the file says so"
        )

    def check(self, path: Path) -> None:
        """Raise SwiftsegError, naming `path` as what was not written, if an engine failed."""
        for parity in self.engines:
            if not parity.passed:
                raise SwiftsegError(
                    f"{path} not written: on {self.frames} frames {parity.engine} gives "
                    f"{parity.equal_labels:.4%} of torch's labels (at least "
                    f"{LEAST_EQUAL_LABELS:.2%}), and {USUAL_SHARE:.0%} of its scores are within "
                    f"{parity.usual_difference:.1e} standard deviations of torch's (at most "
                    f"{MAX_USUAL_DIFFERENCE:.0e})"
                )


def measure_parity(reference: Backend, path: Path, frames: Iterable[np.ndarray]) -> ParityReport:
    """Compare a file with the network it came from, in every engine that is installed.

    Args:
        reference: The network in torch, with the file's spec.
        path: The exported file.
        frames: uint8 (*size_hw, 3), RGB.

    Raises:
        SwiftsegError: There are no frames, or an engine cannot load the file.
    """
    engines = list(_installed_engines(path))
    compared: list[list[tuple[float, ...]]] = [[] for _ in engines]  # a row for each batch
    moments: list[tuple[float, ...]] = []
    count = 0
    for batch in _batches(frames):
        count += len(batch)
        with reference.running(batch) as answer:
            is_probs = reference.spec.output == "probs"
            scores = answer.probabilities() if is_probs else answer.upsampled()
            labels = answer.labels()
        squares = np.square(scores, dtype=np.float64)
        moments.append((scores.size, scores.sum(dtype=np.float64), squares.sum()))
        for (ours, whole), rows in zip(engines, compared, strict=True):
            apart = np.abs(upsampled_of(whole, batch) - scores)
            equal = labels_of(ours, batch) == labels
            usual = (
                float(np.quantile(apart, USUAL_SHARE)) * apart.size
            )  # a batch counts by its size
            rows.append((apart.max(), usual, apart.size, equal.sum(), equal.size))
    if not count:
        raise SwiftsegError("no frames to compare on")
    deviation = _deviation(moments)
    return ParityReport(
        count,
        tuple(
            _parity(ours.engine.backend, rows, deviation)
            for (ours, _), rows in zip(engines, compared, strict=True)
        ),
    )


def _deviation(moments: Sequence[tuple[float, ...]]) -> float:
    count, total, squares = np.sum(moments, axis=0)
    return max(float(squares / count - (total / count) ** 2), 0.0) ** 0.5


def _parity(engine: str, rows: Sequence[tuple[float, ...]], deviation: float) -> EngineParity:
    _, usual, values, equal, pixels = np.sum(rows, axis=0)
    largest = float(np.max(rows, axis=0)[0])  # keeps NaN, as max() does not
    # A network that gives one value everywhere has no deviation to measure by.
    usual = float(usual / values)
    return EngineParity(
        engine, largest, usual / deviation if deviation else usual, float(equal / pixels)
    )


def _installed_engines(path: Path) -> Iterator[tuple[FileBackend, FileBackend]]:
    """Yield each installed engine twice: as we run the file, and as everybody else does."""
    for name in BACKENDS:
        try:
            ours = load_backend(path, name=name)
        except MissingExtraError:
            continue
        yield ours, FileBackend(path, ours.engine, ENGINES[name].find(), cuts_head=False)


def _batches(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    remaining = iter(frames)
    while batch := list(islice(remaining, FRAMES_AT_ONCE)):
        yield np.stack(batch)
