"""What every engine offers, and the graph contract that all of them check.

An exported file takes `frames` uint8 (N, H, W, 3), N free, H and W fixed. Its first output is
named by its kind: `labels` uint8 (N, H, W), `logits` or `probs` float32 (N, C, H, W). A labels file
carries its logits as a second output.
"""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from swiftseg.core import ModelSpec, SwiftsegError

INPUT_NAME = "frames"


class Engine(NamedTuple):
    """What runs a model, by the names that `load_backend` takes."""

    backend: str
    precision: str


class Backend(Protocol):
    """One exported model, loaded by one engine.

    Attributes:
        name: The engine's name, as `load_backend` takes it.
        spec: What the file says of itself.
    """

    name: str
    spec: ModelSpec

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Runs frames uint8 (N, H, W, 3) of the spec's size.

        Returns:
            uint8 (N, H, W) where `spec.output` is `labels`, else float32 (N, C, H, W).
        """
        ...

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        """Runs frames as `run` does, but gives float32 logits (N, C, H, W).

        Raises:
            SwiftsegError: The file holds no logits.
        """
        ...

    def run_scores(self, batch: np.ndarray) -> np.ndarray:
        """Runs frames as `run` does, but gives what their labels are made of.

        Returns:
            float32 (N, C, h, w): logits, or what they are upsampled from. The next run may
            overwrite them.

        Raises:
            SwiftsegError: The file holds no logits.
        """
        ...

    def scores_to_labels(self, scores: np.ndarray) -> np.ndarray:
        """Makes labels uint8 (N, H, W) of what `run_scores` gives, or of averages of that."""
        ...


def check_contract(path: Path, inputs: list[str], outputs: list[str], spec: ModelSpec) -> None:
    """Compares a graph's input and output names with what its spec promises.

    Raises:
        SwiftsegError: The graph is another than the spec describes.
    """
    if inputs != [INPUT_NAME] or outputs[:1] != [spec.output]:
        raise SwiftsegError(
            f"{path}: expected the input {INPUT_NAME} and the output {spec.output}, got "
            f"{', '.join(inputs)} and {', '.join(outputs)}; export the model again"
        )


def no_logits(path: Path) -> SwiftsegError:
    """Makes the error for a file whose logits are asked for and that has none."""
    return SwiftsegError(f"{path} holds no logits; export it again with --output logits or labels")
