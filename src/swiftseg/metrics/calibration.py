"""Confidence: does 0.8 mean right in 80 of 100 pixels, and how is it made to?

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017. The expected
calibration error sorts pixels into 15 equal bins by the probability of the class that wins, and
averages the gaps between mean confidence and accuracy, each bin weighing as much as it holds.
Temperature scaling divides all logits by one number, which leaves the labels as they are.
"""

import numpy as np

NUM_BINS = 15
_STRIP_VALUES = 1 << 26  # sorted at a time
_COLDEST, _HOTTEST = 0.1, 10.0  # temperatures between which the best one is looked for
_SEARCH_STEPS = 40  # each narrows the range by the golden ratio
_SMALLEST = np.float32(1e-30)  # a probability of 0 has no logarithm


def calibration_counts(probs: np.ndarray, mask: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Sort the pixels of one frame by confidence, to be summed over frames.

    Args:
        probs: float32 (C, H, W), class probabilities.
        mask: uint8 (H, W), the ground truth.
        ignore_index: The mask value left out, or None.

    Returns:
        float64 (3, NUM_BINS): pixels, their summed confidence, how many of them are right.
    """
    rows = max(1, _STRIP_VALUES // (len(probs) * mask.shape[1]))
    counts = np.zeros((3, NUM_BINS))
    for top in range(0, len(mask), rows):
        strip = slice(top, top + rows)
        counts += _strip_counts(probs[:, strip], mask[strip], ignore_index)
    return counts


def _strip_counts(probs: np.ndarray, mask: np.ndarray, ignore_index: int | None) -> np.ndarray:
    confidence = probs.max(axis=0).ravel()
    right = (probs.argmax(axis=0) == mask).ravel()
    if ignore_index is not None:
        counted = (mask != ignore_index).ravel()
        confidence, right = confidence[counted], right[counted]
    # A confidence of 1 belongs to the last bin.
    bins = np.minimum((confidence * NUM_BINS).astype(np.intp), NUM_BINS - 1)
    return np.stack(
        [
            np.bincount(bins, minlength=NUM_BINS).astype(np.float64),
            np.bincount(bins, weights=confidence, minlength=NUM_BINS),
            np.bincount(bins, weights=right, minlength=NUM_BINS),
        ]
    )


def expected_calibration_error(counts: np.ndarray) -> float:
    """Return the error in 0..1 from summed `calibration_counts`; NaN where no pixel counts."""
    pixels, confidence, right = counts
    if not pixels.sum():
        return float("nan")
    return float(np.abs(confidence - right).sum() / pixels.sum())


def fit_temperature(probs: np.ndarray, classes: np.ndarray) -> float:
    """Return the temperature under which the true classes are the most likely.

    Args:
        probs: float32 (C, N), class probabilities of N pixels.
        classes: (N,), their true classes.
    """
    logits = np.log(np.maximum(probs, _SMALLEST)).astype(np.float64)
    true = np.take_along_axis(logits, classes[None].astype(np.intp), axis=0)[0]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        largest = logits.max(axis=0)
        rest = np.log(np.exp((logits - largest) * scale).sum(axis=0))
        return float((rest + (largest - true) * scale).mean())

    # The loss falls to one minimum and rises again, so a golden-section search finds it.
    ratio = (5**0.5 - 1) / 2
    low, high = float(np.log(_COLDEST)), float(np.log(_HOTTEST))
    for _ in range(_SEARCH_STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))
