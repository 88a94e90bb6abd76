"""VOC's tree with classes of one's own, as CVAT and Datumaro write it.

It has `labelmap.txt`, `SegmentationClass`, `ImageSets/Segmentation` and `JPEGImages`. CVAT calls
it "Pascal VOC" or "Segmentation mask".

`labelmap.txt` has a class a line, `name:red,green,blue:parts:actions`. Masks hold these colors, or
one value a pixel: the number of the line. VOC's color of outlines, (224, 224, 192), and the value
255 are the void. CVAT leaves `JPEGImages` out unless it is told to save images; then the pictures
are looked for by their names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.annotations.classes import VOID, classes_of
from swiftseg.data.annotations.places import files_below, split_of
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering
from swiftseg.data.annotations.tool_files import naming, read_text, short
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.mask_values import ColorMasks, IndexMasks
from swiftseg.data.own.words import whole_number

LABELMAP, MASKS, LISTS = "labelmap.txt", "SegmentationClass", "ImageSets/Segmentation"
OUTLINES: RGB = (224, 224, 192)


@dataclass(frozen=True)
class LabelmapMasks:
    """Reads masks of the colors, or of the numbers, of a label map's lines."""

    colors: ColorMasks
    numbers: IndexMasks

    def __call__(self, image: AnnotatedImage, size_hw: tuple[int, int]) -> np.ndarray:
        """Return the mask uint8 (H, W).

        Raises:
            SwiftsegError: It cannot be read, or holds what is no class.
        """
        try:
            with Image.open(image.annotation) as mask:
                is_gray = mask.mode in ("1", "L", "I", "I;16")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            is_gray = False  # the reader says what is wrong
        return (self.numbers if is_gray else self.colors)(image.annotation)


def read_voc_labelmap(root: Path) -> Export:
    """Read the label map and the lists of a VOC tree.

    Raises:
        SwiftsegError: The label map is broken, or no listed image has a picture and a mask.
    """
    gathering = Gathering(root)
    lines = list(_labelmap_lines(root / LABELMAP))
    gathering.classes = list(lines)
    with naming(root / LABELMAP):
        _, value_of = classes_of(lines)
    pictures = _pictures_of(root)
    for split, name in _listed(root):
        mask = root / MASKS / f"{name}.png"
        picture = pictures.get(name)
        if picture is None or not mask.is_file():
            what = "picture" if picture is None else "mask"
            gathering.leave_out(f"missing_{what}", f"{root}: {name} has no {what}", name)
            continue
        gathering.add(split, AnnotatedImage(name, picture, mask))
    export = gathering.done()
    read_mask = LabelmapMasks(_color_masks(lines, value_of), _number_masks(lines, value_of))
    return Export(export.splits, export.labels, read_mask, export.findings)


def _labelmap_lines(path: Path) -> Iterator[tuple[str, RGB]]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        values = [whole_number(part) for part in rest.split(":")[0].split(",")]
        color = [value for value in values if value is not None]
        if not len(values) == len(color) == 3:
            raise SwiftsegError(
                f"{path}: line {number}: expected name:red,green,blue::, got {short(line)}"
            )
        if max(color) > 255:
            raise SwiftsegError(f"{path}: line {number}: expected colors of 0 to 255")
        yield name.strip(), (color[0], color[1], color[2])


def _color_masks(lines: list[tuple[str, RGB]], value_of: dict[str, int]) -> ColorMasks:
    return ColorMasks({OUTLINES: VOID} | {color: value_of[name] for name, color in lines})


def _number_masks(lines: list[tuple[str, RGB]], value_of: dict[str, int]) -> IndexMasks:
    numbered = {number: value_of[name] for number, (name, _) in enumerate(lines)}
    return IndexMasks({VOID: VOID} | numbered, VOID)


def _pictures_of(root: Path) -> dict[str, Path]:
    """Return the pictures by their names in `JPEGImages`, or wherever they are but for masks."""
    home = root / "JPEGImages"
    if home.is_dir():
        found = files_below(home, *IMAGE_SUFFIXES)
        return {path.relative_to(home).with_suffix("").as_posix(): path for path in found}
    masks = {"SegmentationClass", "SegmentationObject"}
    return {
        path.stem: path
        for path in files_below(root, *IMAGE_SUFFIXES)
        if not masks & set(path.relative_to(root).parts)
    }


def _listed(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the split and the name of each image in the lists."""
    lists = sorted((root / LISTS).glob("*.txt"))
    if not lists:
        raise SwiftsegError(f"{root / LISTS}: no lists such as train.txt")
    for path in lists:
        if path.stem == "trainval" and len(lists) > 1:
            continue  # train and val again
        for line in read_text(path).splitlines():
            if line.strip():
                yield split_of(path.stem), line.strip()
