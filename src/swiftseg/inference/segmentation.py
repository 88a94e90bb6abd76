"""What segmenting one image gives."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet
from swiftseg.render import overlay, save_label_map


@dataclass(frozen=True, eq=False)
class Segmentation:
    """An image and its label map.

    Attributes:
        image: uint8 (H, W, 3) RGB, as it was handed in.
        label_map: uint8 (H, W), class indices.
        labels: The classes and their colors.
        timings_ms: Milliseconds by stage: `read` (decoding a file), `resize` (to the network's
            size), `network`, `restore` (to the image's size).
    """

    image: np.ndarray
    label_map: np.ndarray
    labels: LabelSet
    timings_ms: dict[str, float]

    def overlay(self, alpha: float = 0.5) -> np.ndarray:
        """Gives the colors over the image, uint8 (H, W, 3); `alpha` is the colors' part, 0..1."""
        return overlay(self.image, self.label_map, self.labels, alpha)

    def save(self, path: Path | str) -> None:
        """Writes the label map as a palette PNG whose values are the class indices.

        Raises:
            SwiftsegError: The name does not end in .png, or the file cannot be written.
        """
        save_label_map(path, self.label_map, self.labels)

    def class_shares(self) -> dict[str, float]:
        """Gives each class's part of the pixels, 0..1, in the order of the classes."""
        counts = Image.fromarray(self.label_map).histogram()  # np.bincount would widen to int64
        return {name: counts[i] / self.label_map.size for i, name in enumerate(self.labels.names)}
