"""COCO's panoptic format: PNGs of segment ids, and a JSON file that gives each segment its class.

`panoptic_train2017.json` holds `images`, `categories` and `annotations`; each of the latter names
its PNG in the folder `panoptic_train2017` beside it, and lists its `segments_info`. The id of a
pixel is R + 256 G + 65536 B, or the value of a gray PNG. Pixels of the id 0 are void.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.annotations.classes import VOID, classes_of
from swiftseg.data.annotations.places import PictureFinder, name_of, split_of
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering
from swiftseg.data.annotations.tool_files import (
    as_color,
    as_fields,
    as_id,
    as_list,
    as_text,
    as_whole,
    naming,
    read_json,
    short,
)
from swiftseg.data.images.image_file import read_values
from swiftseg.data.own.mask_rules import is_colored, read_colored

UNLABELED, NO_ID = 0, 1 << 24
Segments = tuple[np.ndarray, np.ndarray]  # ids, sorted, and the number of each one's category


@dataclass(frozen=True)
class PanopticMasks:
    """Reads PNGs of segment ids as classes.

    Attributes:
        segments_of: The segments of each PNG.
        value_of: uint8, the mask's value by the number of a category.
    """

    segments_of: Mapping[Path, Segments]
    value_of: np.ndarray

    def __call__(self, image: AnnotatedImage, size_hw: tuple[int, int]) -> np.ndarray:
        """Return the mask uint8 (H, W).

        Raises:
            SwiftsegError: The PNG cannot be read, or holds an id that is no segment.
        """
        ids, categories = self.segments_of[image.annotation]
        mask = _ids_in(image.annotation)
        found, where = np.unique(mask, return_inverse=True)
        at = np.searchsorted(ids, found)
        at[at == len(ids)] = 0
        is_known = ids[at] == found
        strange = found[~is_known & (found != UNLABELED)]
        if strange.size:
            raise SwiftsegError(f"{image.annotation}: {strange[0]} is no segment's id in its JSON")
        values = np.where(is_known, self.value_of[categories[at]], np.uint8(VOID))
        return values[where.ravel()].reshape(mask.shape)


def panoptic_masks(path: Path) -> Path:
    """Return where the PNGs of a JSON file lie."""
    return path.with_suffix("")


def read_panoptic(root: Path, files: Iterable[Path]) -> Export:
    """Read COCO's panoptic JSON files, one a split.

    Raises:
        SwiftsegError: A file is broken, there are more than 255 classes, or all pictures are
            missing.
    """
    gathering = Gathering(root, has_background=False)
    finder = PictureFinder(root)
    names: list[str] = []
    segments_of: dict[Path, Segments] = {}
    for path in files:
        fields = as_fields(read_json(path), f"{path}: the file")
        with naming(path):
            classes = _classes(fields)
            numbers = {key: len(names) + at for at, key in enumerate(classes)}
            names += [name for name, _ in classes.values()]
            gathering.classes += classes.values()
        _gather(path, fields, numbers, gathering, finder, segments_of)
        for other in sorted(path.parent.glob("instances_*.json")):
            message = f"{other}: not used; the panoptic masks label things and all else"
            gathering.notes.note("note", "unused_annotations", message, other)
    export = gathering.done()
    _, value_of = classes_of(gathering.classes, has_background=False)
    values = np.array([value_of[name] for name in names], np.uint8)
    return Export(export.splits, export.labels, PanopticMasks(segments_of, values), export.findings)


def _classes(fields: Mapping[str, Any]) -> dict[int, tuple[str, RGB | None]]:
    """Return the name and color of each category, in the order of their ids."""
    categories = [
        as_fields(c, "a category") for c in as_list(fields.get("categories"), "categories")
    ]
    found = {
        as_whole(category.get("id"), "a category's id"): (
            as_text(category.get("name"), "a category's name"),
            as_color(category.get("color")),
        )
        for category in categories
    }
    if len(found) < len(categories):
        raise SwiftsegError("categories: an id is given twice")
    return dict(sorted(found.items()))


def _gather(
    path: Path,
    fields: Mapping[str, Any],
    numbers: Mapping[int, int],
    gathering: Gathering,
    finder: PictureFinder,
    segments_of: dict[Path, Segments],
) -> None:
    """Add the images of a JSON file; what is wrong with one costs that one."""
    with naming(path):
        images = [as_fields(one, "an image") for one in as_list(fields.get("images"), "images")]
        annotations = as_list(fields.get("annotations"), "annotations")
        image_of = {as_id(image.get("id")): image for image in images}
    for value in annotations:
        try:
            with naming(path):
                annotation = as_fields(value, "an annotation")
                mask = panoptic_masks(path) / as_text(annotation.get("file_name"), "file_name")
                image = image_of.get(as_id(annotation.get("image_id")))
                if image is None:
                    raise SwiftsegError(f"{mask.name} is of an image that is not listed")
                given = as_text(image.get("file_name"), "file_name")
                picture = finder.find(given, path.parent)
                if picture is None:
                    raise SwiftsegError(f"no picture {given}")
                if not mask.is_file():
                    raise SwiftsegError(f"no mask {mask}")
                segments = _segments(annotation, numbers)
        except SwiftsegError as error:
            gathering.leave_out("unreadable_annotation", str(error), path)
            continue
        segments_of[mask] = segments
        annotated = AnnotatedImage(name_of(given), picture, mask)
        gathering.add(split_of(path.stem, path.parent.name), annotated)


def _segments(annotation: Mapping[str, Any], numbers: Mapping[int, int]) -> Segments:
    """Return the ids of an image's segments and the numbers of their categories."""
    listed = as_list(annotation.get("segments_info"), "segments_info")
    pairs: list[tuple[int, int]] = []
    for segment in (as_fields(one, "a segment") for one in listed):
        key, category = segment.get("id"), segment.get("category_id")
        if not isinstance(key, int) or not 0 <= key < NO_ID:
            raise SwiftsegError(f"{annotation.get('file_name')}: {short(key)} is no segment's id")
        if not isinstance(category, int) or category not in numbers:
            raise SwiftsegError(f"{annotation.get('file_name')}: no category {short(category)}")
        pairs.append((key, numbers[category]))
    ordered = np.array(sorted(pairs) or [(NO_ID, 0)], np.uint32)
    return ordered[:, 0], ordered[:, 1]


def _ids_in(path: Path) -> np.ndarray:
    """Read the id of each pixel, (H, W)."""
    if not is_colored(path):
        return read_values(path)
    red, green, blue = np.moveaxis(read_colored(path), -1, 0).astype(np.uint32)
    return red | green << 8 | blue << 16
