"""What is known of a labeling tool's export once its annotations are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.annotations.classes import classes_of
from swiftseg.data.annotations.raster import Draw
from swiftseg.data.annotations.tool_files import naming
from swiftseg.data.own.finding import Collector, Finding
from swiftseg.data.own.tree_reading import UNSPLIT


@dataclass(frozen=True)
class Shape:
    """One drawn region.

    Attributes:
        label: Its class, as the export names it.
        about: What an error calls it, such as `annotation 17`.
        draw: Gives the pixels it covers.
    """

    label: str
    about: str
    draw: Draw


@dataclass(frozen=True)
class AnnotatedImage:
    """A picture and what was drawn on it.

    Attributes:
        name: What identifies it in its split: its path there without the suffix.
        picture: Its file; or the annotation's file, where that embeds it.
        annotation: The file that annotates it.
        shapes: In the order in which they are painted, later ones over earlier ones.
        size_hw: The picture's size as the export has it, or None.
    """

    name: str
    picture: Path
    annotation: Path
    shapes: tuple[Shape, ...] = ()
    size_hw: tuple[int, int] | None = None

    @property
    def is_embedded(self) -> bool:
        return self.picture == self.annotation


# Gives the mask uint8 (H, W) of an image whose picture has a size (height, width).
ReadMask = Callable[[AnnotatedImage, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Export:
    """An export that has been read.

    Attributes:
        splits: The images of each split; `all` where the tool knows none.
        read_mask: Reads or draws an image's mask. It can be pickled.
        findings: What was left out, and what else is worth knowing.
    """

    splits: dict[str, list[AnnotatedImage]]
    labels: LabelSet
    read_mask: ReadMask
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Painter:
    """Paints the shapes of an image, one after the other, on a background of 0.

    Attributes:
        value_of: The mask's value by the name of a class.
    """

    value_of: Mapping[str, int]

    def __call__(self, image: AnnotatedImage, size_hw: tuple[int, int]) -> np.ndarray:
        """Return the mask uint8 (H, W).

        Raises:
            SwiftsegError: A shape is broken; the file and the annotation are named.
        """
        mask = np.zeros(size_hw, np.uint8)
        for shape in image.shapes:
            with naming(f"{image.annotation}: {shape.about}"):
                top, left, covered = shape.draw(size_hw)
            height, width = covered.shape
            mask[top : top + height, left : left + width][covered] = self.value_of[shape.label]
        return mask


@dataclass
class Gathering:
    """An export while its annotations are being read.

    What cannot be read costs its image: it is left out, and a finding says why.

    Attributes:
        source: What errors name.
        classes: Names in the tool's order, with their colors.
        has_background: Whether unlabeled pixels are the class `background`, and no void.
    """

    source: Path
    classes: list[tuple[str, RGB | None]] = field(default_factory=list[tuple[str, RGB | None]])
    splits: dict[str, list[AnnotatedImage]] = field(default_factory=dict[str, list[AnnotatedImage]])
    notes: Collector = field(default_factory=Collector)
    has_background: bool = True

    def add(self, split: str, image: AnnotatedImage) -> None:
        self.splits.setdefault(split, []).append(image)

    def leave_out(self, code: str, message: str, file: object) -> None:
        """Note that an image is left out."""
        self.notes.note("warning", code, f"{message}; this image is left out", file)

    def done(self) -> Export:
        """Return the export.

        Raises:
            SwiftsegError: Nothing could be read, a picture is there twice, or the classes are none
                or too many.
        """
        if UNSPLIT in self.splits and len(self.splits) > 1:
            for image in self.splits[UNSPLIT]:
                message = f"{image.annotation}: {image.name} is in no split and is not used"
                self.notes.note("warning", "unused_images", message, image.picture)
        found = self.notes.findings()
        if not any(self.splits.values()):
            why = next((finding.message for finding in found if finding.severity == "warning"), "")
            raise SwiftsegError(f"{self.source}: no annotated image{': ' if why else ''}{why}")
        with naming(self.source):
            labels, value_of = classes_of(self.classes, has_background=self.has_background)
        splits = {split: _named(self.source, images) for split, images in self.splits.items()}
        return Export(splits, labels, Painter(value_of), found)


def _named(source: Path, images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """Sort a split's images by name, and refuse two of one name."""
    by_name: dict[str, AnnotatedImage] = {}
    for image in images:
        other = by_name.setdefault(image.name, image)
        if other is not image:
            raise SwiftsegError(
                f"{source}: {image.picture} and {other.picture} are both the image "
                f"{image.name!r}; each image may be annotated once, so name the folder or the file "
                "of one version"
            )
    return [by_name[name] for name in sorted(by_name)]
