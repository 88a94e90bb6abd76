"""What a pixel of a resized frame is made of: Pillow's bilinear filter, in its fixed point."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_ONE = 1 << 22  # FRACTION_BITS of native/resize.h, and Pillow's


@dataclass(frozen=True, eq=False)
class Taps:
    """Output element i is the sum over k < count[i] of weights[i, k] * x[first[i] + k], over 2^22.

    Attributes:
        first: int32 (size,), never decreasing.
        count: int32 (size,), 1 at least.
        weights: int32 (size, most), zero behind an element's last; rows add up to 2^22 but for
            rounding.
    """

    first: np.ndarray
    count: np.ndarray
    weights: np.ndarray


@lru_cache(maxsize=32)  # frames of a video all ask for the same two
def bilinear_taps(in_size: int, out_size: int) -> Taps:
    """Work out one axis: a triangle over the two nearest, or, shrinking, over all it covers.

    The arithmetic is that of Pillow's `precompute_coeffs` (Resample.c), in double precision and in
    its order, so that the weights are its weights.
    """
    scale = in_size / out_size
    reach = max(scale, 1.0)
    center = (np.arange(out_size) + 0.5) * scale
    first = np.maximum((center - reach + 0.5).astype(np.int64), 0)
    count = np.minimum((center + reach + 0.5).astype(np.int64), in_size) - first
    place = np.arange(2 * int(np.ceil(reach)) + 1)
    distance = np.abs((place + first[:, None] - center[:, None] + 0.5) * (1 / reach))
    triangle = np.where(place < count[:, None], np.maximum(1 - distance, 0), 0)
    # Added up one by one: a sum in pairs would differ in its last bit.
    shares = triangle / np.cumsum(triangle, axis=1)[:, -1:]
    weights = (shares * _ONE + 0.5).astype(np.int32)
    arrays = first.astype(np.int32), count.astype(np.int32), weights
    for array in arrays:
        array.setflags(write=False)
    return Taps(*arrays)
