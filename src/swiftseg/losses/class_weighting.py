"""Class weights from how often each class occurs."""

import numpy as np


def enet_class_weights(
    pixel_counts: np.ndarray, total_pixels: int, *, c: float = 1.02
) -> np.ndarray:
    """Weigh classes by 1 / ln(c + p), p being a class's share of all pixels.

    From the ENet paper, section 5.2; c = 1.02 keeps every weight within 1 and 50.5.

    Args:
        pixel_counts: int64 (C,), pixels by class over the training masks.
        total_pixels: All pixels of those masks, void included, as the authors' release counts.
        c: The constant of the formula, above 1.

    Returns:
        float64 (C,).
    """
    return 1.0 / np.log(c + pixel_counts / total_pixels)


def median_frequency_weights(
    pixel_counts: np.ndarray, pixels_where_present: np.ndarray
) -> np.ndarray:
    """Weigh classes by the median frequency over their own (SegNet, section 4).

    Args:
        pixel_counts: int64 (C,), pixels by class over the training masks.
        pixels_where_present: int64 (C,), all pixels of the masks in which a class occurs.

    Returns:
        float64 (C,); zero for a class that never occurs.
    """
    occurs = pixel_counts > 0
    frequency = pixel_counts[occurs] / pixels_where_present[occurs]
    weights = np.zeros(len(pixel_counts))
    weights[occurs] = np.median(frequency) / frequency
    return weights


def effective_number_weights(pixel_counts: np.ndarray, *, beta: float = 0.999) -> np.ndarray:
    """Weigh classes by the inverse effective number of samples, their mean being 1.

    Cui et al., "Class-balanced loss based on effective number of samples", CVPR 2019. Counts are
    taken in thousandths of the pixels: neighboring pixels are far from independent samples, and
    raw counts would put every class at the limit.

    Returns:
        float64 (C,); zero for a class that never occurs.
    """
    occurs = pixel_counts > 0
    samples = pixel_counts[occurs] / pixel_counts.sum() * 1000
    weights = np.zeros(len(pixel_counts))
    weights[occurs] = (1 - beta) / (1 - beta**samples)
    return weights / weights[occurs].mean()
