"""Scores of every kind that an argmax might stumble over."""

from collections.abc import Callable, Mapping

import numpy as np

Shape = tuple[int, int, int, int]


def _smooth(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Waves a few pixels long, a class each: as sure as a trained network."""
    batch, classes, height, width = shape
    phase = rng.uniform(0, 6, (batch, classes, 1, 1))
    rate = rng.uniform(-0.4, 0.4, (2, batch, classes, 1, 1))
    y, x = np.arange(height)[:, None], np.arange(width)
    return 4 * np.sin(phase + rate[0] * y + rate[1] * x) + rng.normal(0, 0.05, shape)


def _nearly_tied(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Classes a rounding error apart: each rounding of the interpolation shows."""
    base = rng.standard_normal((shape[0], 1, *shape[2:])).astype(np.float32)
    return base * (1 + np.float32(2.0**-23) * rng.integers(-2, 3, shape))


def _with(value: float, share: float) -> Callable[[np.random.Generator, Shape], np.ndarray]:
    def scores(rng: np.random.Generator, shape: Shape) -> np.ndarray:
        return np.where(rng.random(shape) < share, value, rng.standard_normal(shape))

    return scores


SCORES: Mapping[str, Callable[[np.random.Generator, Shape], np.ndarray]] = {
    "random": lambda rng, shape: rng.standard_normal(shape),
    "smooth": _smooth,
    "constant": lambda rng, shape: np.full(shape, rng.standard_normal()),
    "one constant a class": lambda rng, shape: (
        rng.standard_normal((*shape[:2], 1, 1)) + 0 * np.ones(shape)
    ),
    "tied": lambda rng, shape: rng.integers(-1, 2, shape),
    "nearly tied": _nearly_tied,
    "not a number": _with(np.nan, 0.01),
    "infinite": _with(np.inf, 0.01),
    "ruled out": _with(-np.inf, 0.2),
    "huge": lambda rng, shape: rng.uniform(-3.4e38, 3.4e38, shape),
    "small": lambda rng, shape: rng.standard_normal(shape) * 1e-38,
    "below the normal": lambda rng, shape: rng.standard_normal(shape) * 1e-43,
    "of both signs of zero": lambda rng, shape: np.where(rng.random(shape) < 0.5, -0.0, 0.0),
}


def scores_of(kind: str, shape: Shape, seed: int) -> np.ndarray:
    """Return float32 scores (N, C, h, w), contiguous."""
    return SCORES[kind](np.random.default_rng(seed), shape).astype(np.float32)
