"""Scores that an engine has handed over as an array, and labels made of them."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from swiftseg.kernels.confidence import confidence, unsure_pixels
from swiftseg.kernels.upsample import upsample
from swiftseg.kernels.upsample_argmax import argmax, upsample_argmax

ScoreKind = Literal["logits", "probs"]


@dataclass(frozen=True, eq=False)
class ArrayScores:
    """The scores of a batch; see `swiftseg.runtimes.base.ClassScores`.

    Attributes:
        align_corners: How they are interpolated; None where (h, w) is the labels' size.
    """

    values: np.ndarray
    size_hw: tuple[int, int]
    kind: ScoreKind = "logits"
    align_corners: bool | None = None

    def labels(self) -> np.ndarray:
        """Return the class of the largest score at every pixel, uint8 (N, H, W).

        One thread does it: a second one would compete with the engine's own, which wait for the
        next frame by spinning.
        """
        if self.align_corners is None:
            return argmax(self.values)
        return upsample_argmax(self.values, self.size_hw, align_corners=self.align_corners)

    def upsampled(self) -> np.ndarray:
        """Return the values at the labels' size, float32 (N, C, H, W)."""
        if self.align_corners is None:
            return self.values
        return upsample(self.values, self.size_hw, align_corners=self.align_corners)

    def probabilities(self) -> np.ndarray:
        """Return class probabilities at the labels' size, float32 (N, C, H, W)."""
        values = self.upsampled()
        return np.array(values) if self.kind == "probs" else softmax(values)

    def unsure(self, below: float, temperature: float) -> np.ndarray:
        """Find the pixels less probable than `below`, bool (N, H, W)."""
        if self.kind == "probs":
            return np.stack([confidence(p, temperature) < below for p in self.upsampled()])
        return unsure_pixels(
            self.values, self.size_hw, below, temperature, align_corners=self.align_corners
        )

    def replaced(self, values: np.ndarray) -> "ArrayScores":
        """Return the scores that have other values, float32 (N, C, h, w)."""
        return replace(self, values=values)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (N, C, H, W) into probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # so that nothing overflows
    return powers / powers.sum(axis=1, keepdims=True)
