"""COCO's JSON of instances, as COCO, CVAT, Roboflow, Label Studio and others write it.

A file holds `images`, `categories` and `annotations`. An annotation's `segmentation` is a list of
polygons, whose union is meant, or an object with run lengths, as numbers or as a compressed text;
where it is empty, the `bbox` (left, top, width, height) is filled. Annotations are painted in the
file's order. The regions of `iscrowd` are groups of objects of their class: they are painted with
it, before all others. Category ids may have gaps; the classes stand in the order of their ids.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.places import PictureFinder, name_of, split_of
from swiftseg.data.annotations.raster import (
    Draw,
    Patch,
    box_corners,
    fill_polygon,
)
from swiftseg.data.annotations.run_lengths import (
    as_counts,
    bitmap_from_counts,
    counts_from_text,
)
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_color,
    as_fields,
    as_id,
    as_list,
    as_numbers,
    as_points,
    as_size,
    as_text,
    naming,
    read_json,
    short,
)


def read_coco(root: Path, files: Iterable[Path]) -> Export:
    """Read COCO's JSON files, one a split or one for all.

    Raises:
        SwiftsegError: A file is broken or no such export, image ids repeat, or all pictures are
            missing.
    """
    gathering = Gathering(root)
    finder = PictureFinder(root)
    for path in files:
        folder = path.parent.name if path.parent != root else ""
        content = read_json(path)
        with naming(path):
            file = _File(path, content, split_of(path.stem, folder))
            gathering.classes += file.classes()
        file.gather(gathering, finder)
    return gathering.done()


class _File:
    """One JSON file."""

    def __init__(self, path: Path, content: Any, split: str) -> None:
        fields = as_fields(content, "the file")
        self.path, self.split = path, split
        self.images = _by_id(fields.get("images"), "images")
        self.categories = _by_id(fields.get("categories"), "categories")
        self.of_image: dict[Any, list[dict[str, Any]]] = {key: [] for key in self.images}
        self.strays: list[Any] = []
        for value in as_list(fields.get("annotations"), "annotations"):
            annotation = as_fields(value, "an annotation")
            own = self.of_image.get(as_id(annotation.get("image_id")))
            if own is None:
                self.strays.append(annotation.get("id"))
            else:
                own.append(annotation)

    def gather(self, gathering: Gathering, finder: PictureFinder) -> None:
        if self.strays:
            message = f"{self.path}: annotation {self.strays[0]} is of an image that is not listed"
            for _ in self.strays:
                gathering.notes.note("warning", "annotation_without_image", message, self.path)
        for key, image in self.images.items():
            about = f"{self.path}: image {key}"
            try:
                with naming(about):
                    given = as_text(image.get("file_name"), "file_name")
                    picture = finder.find(given, self.path.parent)
                    if picture is None:
                        raise SwiftsegError(f"no picture {given}")
                    shapes = self.shapes(self.of_image[key], gathering)
                    size_hw = None
                    if "height" in image and "width" in image:
                        size_hw = as_size(image["height"], image["width"])
            except SwiftsegError as error:
                gathering.leave_out("unreadable_annotation", str(error), self.path)
                continue
            annotated = AnnotatedImage(name_of(given), picture, self.path, shapes, size_hw)
            gathering.add(self.split, annotated)

    def classes(self) -> list[tuple[str, tuple[int, int, int] | None]]:
        """Return the names and colors of the categories, without those that are mere headings.

        Roboflow writes one: it is named as the supercategory of others and has no annotation.
        """
        annotations = (annotation for own in self.of_image.values() for annotation in own)
        ids = (annotation.get("category_id") for annotation in annotations)
        used = {category for category in ids if isinstance(category, int | str)}
        headings = [category.get("supercategory") for category in self.categories.values()]
        return [
            (as_text(category.get("name"), "a category's name"), as_color(category.get("color")))
            for key, category in sorted(
                self.categories.items(), key=lambda item: (str(type(item[0])), item[0])
            )
            if key in used
            or category.get("name") not in headings
            or category.get("supercategory") not in (None, "", "none")
        ]

    def shapes(self, annotations: list[dict[str, Any]], gathering: Gathering) -> tuple[Shape, ...]:
        shapes: list[Shape] = []
        for annotation in sorted(annotations, key=lambda own: own.get("iscrowd") not in (1, True)):
            about = f"annotation {annotation.get('id')}"
            with naming(about):
                category = self.categories.get(as_id(annotation.get("category_id")))
                if category is None:
                    raise SwiftsegError(f"no category {short(annotation.get('category_id'))}")
                if not annotation.get("segmentation"):
                    message = f"{self.path}: {about} has no segmentation; its box is filled"
                    gathering.notes.note("warning", "filled_boxes", message, self.path)
                label = as_text(category.get("name"), "name")
                shapes += [Shape(label, about, draw) for draw in _draws(annotation)]
        return tuple(shapes)


def _draws(annotation: dict[str, Any]) -> list[Draw]:
    segmentation = annotation.get("segmentation")
    if not segmentation:
        left, top, width, height = as_numbers(annotation.get("bbox"), 4, "bbox")
        corners = box_corners(left, top, left + width, top + height, 0, "corner")
        return [partial(fill_polygon, rings=(corners,))]
    if isinstance(segmentation, list):
        # COCO lists flat polygons; some tools list pairs.
        return [
            partial(fill_polygon, rings=(as_points(ring),))
            for ring in as_list(segmentation, "segmentation")
        ]
    fields = as_fields(segmentation, "segmentation")
    size = as_numbers(fields.get("size"), 2, "size")
    counts = fields.get("counts")
    if isinstance(counts, str):
        counts = counts_from_text(counts)
    return [partial(_draw_counts, counts=as_counts(counts), bitmap_hw=as_size(*size))]


def _draw_counts(
    size_hw: tuple[int, int], *, counts: np.ndarray, bitmap_hw: tuple[int, int]
) -> Patch:
    if bitmap_hw != size_hw:
        raise SwiftsegError(
            f"its run lengths are of {bitmap_hw[0]}x{bitmap_hw[1]} pixels, the picture is "
            f"{size_hw[0]}x{size_hw[1]} (height x width)"
        )
    return Patch(0, 0, bitmap_from_counts(counts, bitmap_hw, "F"))


def _by_id(value: Any, what: str) -> dict[Any, dict[str, Any]]:
    """Key the objects of a list by their ids, which may not repeat."""
    by_id: dict[Any, dict[str, Any]] = {}
    for entry in as_list(value, what):
        fields = as_fields(entry, f"an entry of {what}")
        key = as_id(fields.get("id"))
        if key in by_id:
            raise SwiftsegError(f"{what}: the id {key} is given twice")
        by_id[key] = fields
    return by_id
