"""What segmenting one image gives."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, known_name, needs_extra
from swiftseg.kernels.bands import viewable
from swiftseg.kernels.coco_rle import bounding_box
from swiftseg.render import overlay, save_label_map
from swiftseg.render.coco_regions import OUTLINE_FORMS, OutlineForm, coco_annotations
from swiftseg.render.colors import drawn_classes, palette_image


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation:
    """An image and its label map; `np.asarray` gives the label map.

    Attributes:
        image: uint8 (H, W, 3) RGB, or the bands of the model, as it was handed in.
        label_map: uint8 (H, W), class indices.
        labels: The classes and their colors.
        timings_ms: Milliseconds by stage: `read` (decoding a file), `resize` (to the network's
            size), `network`, `labels` (upsampling and argmax), `restore` (to the image's size).
        probabilities: float32 (C, H, W) where they were asked for, else None. Interpolated
            bilinearly where the label map is by nearest neighbor, see `Segmenter.probabilities`.
    """

    image: np.ndarray
    label_map: np.ndarray
    labels: LabelSet
    timings_ms: dict[str, float]
    probabilities: np.ndarray | None = None

    def overlay(self, alpha: float = 0.5, *, hide: Sequence[str] = ()) -> np.ndarray:
        """Return the classes' colors over the image, uint8 (H, W, 3).

        The background, void and the classes named in `hide` stay clear; `alpha` is the colors'
        share, 0..1.
        """
        return overlay(viewable(self.image), self.label_map, self.labels, alpha, hide=hide)

    def save(self, path: Path | str) -> None:
        """Write the label map as a palette PNG whose values are the class indices.

        Raises:
            SwiftsegError: The name does not end in .png, or the file cannot be written.
        """
        save_label_map(path, self.label_map, self.labels)

    def class_shares(self) -> dict[str, float]:
        """Return each class's share of the pixels, 0..1, in the order of the classes.

        They add up to less than 1 where some pixels are void.
        """
        return {name: count / self.label_map.size for name, count in self.class_pixels().items()}

    def class_pixels(self) -> dict[str, int]:
        """Return each class's number of pixels, in the order of the classes."""
        counts = Image.fromarray(self.label_map).histogram()  # np.bincount would widen to int64
        return {name: counts[index] for index, name in enumerate(self.labels.names)}

    def to_pil(self) -> Image.Image:
        """Return the label map as a palette image, whose values are the class indices."""
        return palette_image(self.label_map, self.labels)

    def plot(self, ax: Any = None, *, alpha: float = 0.5, hide: Sequence[str] = ()) -> Any:
        """Draw the overlay with a legend of the classes present, and return matplotlib's axes.

        Args:
            ax: The axes to draw on; None takes the current ones.
            alpha: The colors' share, 0..1.
            hide: Names of classes that are not drawn.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        with needs_extra("plotting a result", "notebook"):
            from matplotlib import pyplot
            from matplotlib.patches import Patch
        ax = pyplot.gca() if ax is None else ax
        ax.imshow(self.overlay(alpha, hide=hide))
        ax.set_axis_off()
        shares = list(self.class_shares().values())
        shown = [index for index in drawn_classes(self.labels, hide) if shares[index] > 0]
        patches = [
            Patch(color=self.labels.colors[index] / 255, label=self.labels.names[index])
            for index in sorted(shown, key=lambda index: -shares[index])
        ]
        ax.legend(handles=patches, loc="upper left", bbox_to_anchor=(1, 1))
        return ax

    def coco(self, form: OutlineForm = "rle") -> list[dict[str, Any]]:
        """Return one COCO annotation for each class present; category ids are class indices.

        Args:
            form: `rle` for run lengths as pycocotools reads them, or `polygons`.

        Raises:
            UsageError: The form is neither.
        """
        form = known_name("form", form, OUTLINE_FORMS)
        annotations = coco_annotations(self.label_map, form)
        return [one for one in annotations if one["category_id"] < len(self.labels)]

    def to_supervision(self) -> Any:
        """Return one of supervision's `Detections`, with a mask and a box for each class present.

        Raises:
            MissingExtraError: supervision is not installed.
        """
        with needs_extra("supervision's detections", "supervision"):
            from supervision import Detections
        present = [index for index, share in enumerate(self.class_shares().values()) if share > 0]
        masks = self.label_map == np.array(present, dtype=np.uint8)[:, None, None]
        boxes = [bounding_box(mask) for mask in masks]
        return Detections(
            xyxy=np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32).reshape(
                -1, 4
            ),
            mask=masks,
            class_id=np.array(present, dtype=int),
            data={"class_name": np.array([self.labels.names[index] for index in present])},
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the label map, so that `np.asarray(result)` does."""
        return np.array(self.label_map, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        """Name the size and the classes present, the largest first."""
        height, width = self.label_map.shape
        shares = sorted(self.class_shares().items(), key=lambda share: -share[1])
        present = ", ".join(f"{name} {share:.1%}" for name, share in shares if share > 0)
        return f"Segmentation({height}x{width}: {present or 'void'})"

    def _repr_png_(self) -> bytes:
        """Show the overlay in a notebook."""
        picture = io.BytesIO()
        Image.fromarray(self.overlay()).save(picture, format="PNG")
        return picture.getvalue()
