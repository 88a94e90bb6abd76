"""Class weights from how often each class occurs."""

import numpy as np


def enet_class_weights(
    pixel_counts: np.ndarray, total_pixels: int, *, c: float = 1.02
) -> np.ndarray:
    """Weights classes by 1 / ln(c + p), p being a class's share of all pixels.

    From the ENet paper, section 5.2; c = 1.02 keeps every weight within 1 and 50.5.

    Args:
        pixel_counts: int64 (C,), pixels by class over the training masks.
        total_pixels: All pixels of those masks, void included, as the authors' release counts.
        c: The constant of the formula, above 1.

    Returns:
        float64 (C,).
    """
    return 1.0 / np.log(c + pixel_counts / total_pixels)
