"""One labeled frame."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """A frame and its ground truth.

    Attributes:
        name: What identifies the frame in its dataset, such as the file's stem.
        image: uint8 (H, W, 3), RGB.
        mask: uint8 (H, W), class indices and the dataset's ignore_index.
    """

    name: str
    image: np.ndarray
    mask: np.ndarray
