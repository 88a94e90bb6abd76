"""Labelme's JSON, one file an image.

Its points name pixels, and Labelme draws with Pillow: so it is done here, with Labelme's widths of
lines and points. Shapes are painted in the file's order. The picture is the file that `imagePath`
names, relative to the JSON, or else the one that the JSON embeds in `imageData`. The classes stand
in the order of a `labels.txt`, or else of the alphabet; the label `__ignore__` is the void, and
`_background_` the background, as in Labelme's own export to VOC.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.bitmaps import open_bitmap
from swiftseg.data.annotations.places import PictureFinder, name_of, split_of
from swiftseg.data.annotations.raster import Draw, Outline, Patch, clipped, draw_pixels
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_base64,
    as_fields,
    as_list,
    as_points,
    as_size,
    as_text,
    naming,
    read_json,
    read_text,
    short,
)

LABELS_FILE = "labels.txt"
LINE_WIDTH_PX, POINT_RADIUS_PX = 10, 5  # Labelme's own (labelme/utils/shape.py)

# The kinds of shapes: how they are drawn, how many points they have at least, and their width.
_OUTLINES: dict[str, tuple[Outline, int, int]] = {
    "polygon": ("polygon", 3, 1),
    "oriented_rectangle": ("polygon", 3, 1),
    "rectangle": ("rectangle", 2, 1),
    "circle": ("circle", 2, 1),
    "line": ("line", 2, LINE_WIDTH_PX),
    "linestrip": ("line", 2, LINE_WIDTH_PX),
    "point": ("point", 1, POINT_RADIUS_PX),
    "points": ("point", 1, POINT_RADIUS_PX),
}


def read_labelme(root: Path, files: Iterable[Path]) -> Export:
    """Read Labelme's JSON files; one that is broken costs its own image alone.

    Raises:
        SwiftsegError: None can be read, or two are of one image.
    """
    gathering = Gathering(root)
    finder = PictureFinder(root)
    labels: set[str] = set()
    for path in files:
        try:
            image = _read_file(path, root, finder)
        except SwiftsegError as error:
            gathering.leave_out("unreadable_annotation", str(error), path)
            continue
        labels |= {shape.label for shape in image.shapes}
        split = split_of(*path.relative_to(root).parent.parts)
        gathering.add(split, image)
    listed = root / LABELS_FILE
    names = read_text(listed).split("\n") if listed.is_file() else []
    ordered = [name.strip() for name in names if name.strip()]
    ordered += sorted(labels - set(ordered))
    gathering.classes = [(name, None) for name in ordered]
    return gathering.done()


def embedded_picture(path: Path) -> bytes:
    """Return the file that a Labelme JSON embeds, as it stands.

    Raises:
        SwiftsegError: There is none, or it is not base64.
    """
    fields = as_fields(read_json(path), "the file")
    with naming(path):
        return as_base64(fields.get("imageData"), "imageData")


def _read_file(path: Path, root: Path, finder: PictureFinder) -> AnnotatedImage:
    content = read_json(path)
    with naming(path):
        fields = as_fields(content, "the file")
        given = as_text(fields.get("imagePath"), "imagePath")
        picture = finder.find(given, path.parent)
        if picture is None and not fields.get("imageData"):
            raise SwiftsegError(f"no picture {given}, and none is embedded")
        shapes = tuple(
            _shape(as_fields(shape, "a shape"), index)
            for index, shape in enumerate(as_list(fields.get("shapes"), "shapes"))
        )
        size_hw = None
        if fields.get("imageHeight") and fields.get("imageWidth"):
            size_hw = as_size(fields["imageHeight"], fields["imageWidth"])
    name = name_of(path.relative_to(root).as_posix())
    return AnnotatedImage(name, picture or path, path, shapes, size_hw)


def _shape(fields: dict[str, Any], index: int) -> Shape:
    about = f"shape {index}"
    with naming(about):
        return Shape(as_text(fields.get("label"), "label"), about, _draw(fields))


def _draw(fields: dict[str, Any]) -> Draw:
    kind = fields.get("shape_type") or "polygon"  # old versions know nothing else
    if kind == "mask":
        points = as_points(fields.get("points"), least=2)
        bitmap = as_text(fields.get("mask"), "mask")
        left, top = np.trunc(points.min(axis=0)).astype(int)
        return partial(_draw_bitmap, bitmap=bitmap, top=int(top), left=int(left))
    if not isinstance(kind, str) or kind not in _OUTLINES:
        raise SwiftsegError(f"unknown shape_type {short(kind)}")
    outline, least, width_px = _OUTLINES[kind]
    points = as_points(fields.get("points"), least=least)
    return partial(draw_pixels, outline=outline, points=points, width_px=width_px)


def _draw_bitmap(size_hw: tuple[int, int], *, bitmap: str, top: int, left: int) -> Patch:
    with open_bitmap(as_base64(bitmap, "the mask"), size_hw) as image:
        covered = np.array(image.convert("L")) > 0
    return clipped(size_hw, top, left, covered)
