"""What segmenting one image gives."""

import io
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
            size), `network`, `labels` (upsampling and argmax), `restore` (to the image's size).
        probabilities: float32 (C, H, W) where they were asked for, else None.
    """

    image: np.ndarray
    label_map: np.ndarray
    labels: LabelSet
    timings_ms: dict[str, float]
    probabilities: np.ndarray | None = None

    def overlay(self, alpha: float = 0.5) -> np.ndarray:
        """Return the colors over the image, uint8 (H, W, 3); `alpha` is the colors' share, 0..1."""
        return overlay(self.image, self.label_map, self.labels, alpha)

    def save(self, path: Path | str) -> None:
        """Write the label map as a palette PNG whose values are the class indices.

        Raises:
            SwiftsegError: The name does not end in .png, or the file cannot be written.
        """
        save_label_map(path, self.label_map, self.labels)

    def class_shares(self) -> dict[str, float]:
        """Return each class's share of the pixels, 0..1, in the order of the classes."""
        counts = Image.fromarray(self.label_map).histogram()  # np.bincount would widen to int64
        return {name: counts[i] / self.label_map.size for i, name in enumerate(self.labels.names)}

    def _repr_png_(self) -> bytes:
        """Show the overlay in a notebook."""
        picture = io.BytesIO()
        Image.fromarray(self.overlay()).save(picture, format="PNG")
        return picture.getvalue()
