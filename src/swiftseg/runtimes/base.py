"""What every engine offers, and the graph contract that files keep.

An exported file takes `frames` uint8 (N, H, W, 3), N free, H and W fixed. Its first output is
named by its kind: `labels` uint8 (N, H, W), `logits` or `probs` float32 (N, C, H, W). A labels file
carries its logits as a second output.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, Self

import numpy as np

from swiftseg.core import ModelSpec, SwiftsegError

INPUT_NAME = "frames"


class Engine(NamedTuple):
    """What runs a model, by the names that `load_backend` takes."""

    backend: str
    precision: str
    device: str = "cpu"


class ClassScores(Protocol):
    """What a network gave for a batch of frames, and everything that can be made of it.

    Attributes:
        values: float32 (N, C, h, w), logits or probabilities; (h, w) may be smaller than the
            labels, which are then made of values interpolated between these.
    """

    @property
    def values(self) -> np.ndarray: ...

    def labels(self) -> np.ndarray:
        """Return the class of the largest score at every pixel, uint8 (N, H, W)."""
        ...

    def upsampled(self) -> np.ndarray:
        """Return the values at the labels' size, float32 (N, C, H, W)."""
        ...

    def probabilities(self) -> np.ndarray:
        """Return class probabilities at the labels' size, float32 (N, C, H, W)."""
        ...

    def unsure(self, below: float, temperature: float) -> np.ndarray:
        """Find the pixels whose class has a calibrated probability below that one, bool (N, H, W).

        `temperature` is what logits are divided by, see `ModelSpec`.
        """
        ...

    def replaced(self, values: np.ndarray) -> "ClassScores":
        """Return the scores that have other values of the same shape, such as their average."""
        ...


class Backend(Protocol):
    """One model, loaded by one engine. Several threads may run it at the same time.

    Attributes:
        engine: The engine's name and precision.
        spec: What the model says of itself.
        any_size: Whether `at_size` takes every size, as it does where torch runs a network.
    """

    engine: Engine
    spec: ModelSpec
    any_size: bool

    def running(self, batch: np.ndarray) -> AbstractContextManager[ClassScores]:
        """Run frames uint8 (N, H, W, 3) of the spec's size.

        The scores are valid inside the `with` block only: the engine may use their memory again.
        """
        ...

    def at_size(self, size_hw: tuple[int, int]) -> Self:
        """Return a backend that runs the same model on frames of another size.

        Raises:
            SwiftsegError: The model is exported for one size, and that is another.
        """
        ...


def refuse_other_size(spec: ModelSpec, size_hw: tuple[int, int]) -> None:
    """Raise SwiftsegError where an exported model is to run at another size than its own."""
    height, width = spec.input.size_hw
    if size_hw != (height, width):
        raise SwiftsegError(
            f"{spec.name} is exported for frames of {height}x{width} (height x width) and does not "
            f"run at {size_hw[0]}x{size_hw[1]}; take its checkpoint (.pt), which runs at any size, "
            f"export it with --size {size_hw[0]}x{size_hw[1]}, or go over the frames in windows of "
            "its size (predict --fit tile, evaluate --sliding)"
        )


def labels_of(backend: Backend, batch: np.ndarray) -> np.ndarray:
    """Return the labels uint8 (N, H, W) of frames uint8 (N, H, W, 3)."""
    with backend.running(batch) as scores:
        return scores.labels()


def upsampled_of(backend: Backend, batch: np.ndarray) -> np.ndarray:
    """Return the logits or probabilities float32 (N, C, H, W) of frames uint8 (N, H, W, 3)."""
    with backend.running(batch) as scores:
        return np.array(scores.upsampled())


def equal_labels(one: Backend, other: Backend, frames: Iterable[np.ndarray]) -> float:
    """Return the share, 0..1, of labels in which two backends agree."""
    pairs = ((labels_of(one, frame[None]), labels_of(other, frame[None])) for frame in frames)
    return float(np.mean([np.mean(own == others) for own, others in pairs]))
