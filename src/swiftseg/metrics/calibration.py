"""Expected calibration error: does a confidence of 0.8 mean right in 80 of 100 pixels?

Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017: pixels are
sorted into 15 equal bins by the probability of the class that wins, and the gaps between mean
confidence and accuracy are averaged, each bin weighing as much as it holds.
"""

import numpy as np

NUM_BINS = 15


def calibration_counts(probs: np.ndarray, mask: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Sort the pixels of one frame by confidence, to be summed over frames.

    Args:
        probs: float32 (C, H, W), class probabilities.
        mask: uint8 (H, W), the ground truth.
        ignore_index: The mask value left out, or None.

    Returns:
        float64 (3, NUM_BINS): pixels, their summed confidence, how many of them are right.
    """
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
