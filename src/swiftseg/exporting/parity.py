"""Does a file answer as the network it came from? Both run on the same frames."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.runtimes import BACKENDS, ENGINES, Backend, load_backend
from swiftseg.runtimes.base import Engine, equal_labels
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

    One engine is compared after the other, first the whole graph and then as swiftseg runs it,
    since each holds the memory that its runs have taken.

    Args:
        reference: The network in torch, with the file's spec.
        path: The exported file.
        frames: uint8 (*size_hw, 3), RGB; walked through twice for each engine.

    Raises:
        SwiftsegError: There are no frames, or an engine cannot load the file.
    """
    again = list(frames) if isinstance(frames, Iterator) else frames
    count, parities = 0, list[EngineParity]()
    for name in BACKENDS:
        try:
            load_graph = ENGINES[name].find()
        except MissingExtraError:
            continue
        # As everybody else runs it who has the file.
        whole = FileBackend(path, Engine(name, "f32"), load_graph, cuts_head=False)
        count, largest, usual = _compare(reference, whole, again)
        del whole
        equal = equal_labels(reference, load_backend(path, name=name), again)
        parities.append(EngineParity(name, largest, usual, equal))
    return ParityReport(count, tuple(parities))


def _compare(
    reference: Backend, whole: FileBackend, frames: Iterable[np.ndarray]
) -> tuple[int, float, float]:
    """Return the number of frames, and the largest and the usual difference of the scores."""
    rows = list[tuple[float, ...]]()
    for batch in _batches(frames):
        with whole.running(batch) as found:
            for frame, values in zip(batch, found.upsampled(), strict=True):
                rows.append(_compare_frame(reference, frame, values))
    if not rows:
        raise SwiftsegError("no frames to compare on")
    largest = float(np.max(rows, axis=0)[0])  # keeps NaN, as max() does not
    _, usual, total, squares = np.mean(rows, axis=0)
    deviation = max(float(squares - total**2), 0.0) ** 0.5
    # A network that gives one value everywhere has no deviation to measure by.
    return len(rows), largest, float(usual / deviation if deviation else usual)


def _compare_frame(reference: Backend, frame: np.ndarray, values: np.ndarray) -> tuple[float, ...]:
    """Compare an engine's scores float32 (C, H, W) with torch's, which run frame by frame.

    Returns:
        The largest difference, what `USUAL_SHARE` of the differences stay within, and the means of
        torch's scores and of their squares.
    """
    with reference.running(frame[None]) as answer:
        is_probs = reference.spec.output == "probs"
        scores = (answer.probabilities() if is_probs else answer.upsampled())[0]
    squares = [float(np.square(plane, dtype=np.float64).mean()) for plane in scores]
    total = float(scores.mean(dtype=np.float64))
    apart = np.subtract(values, scores, out=scores)  # in place: both are large
    largest = float(np.abs(apart, out=apart).max())
    usual = float(np.quantile(apart, USUAL_SHARE, overwrite_input=True))
    return largest, usual, total, float(np.mean(squares))


def _batches(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    remaining = iter(frames)
    while batch := list(islice(remaining, FRAMES_AT_ONCE)):
        yield np.stack(batch)
