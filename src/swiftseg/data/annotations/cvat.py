"""CVAT's XML "for images": polygons, boxes, ellipses and masks.

Coordinates run from a pixel's edge to its other edge. Shapes are painted by their `z_order`, and
in the file's order where that is equal, as CVAT shows them. Polylines, points, cuboids, skeletons
and tags have no area and are left aside; attributes are. Classes and their colors stand as in the
task's or project's labels. Splits are the `subset` of each image. CVAT shows pictures upright, as
their EXIF orientation says.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.places import PictureFinder, name_of, split_of
from swiftseg.data.annotations.raster import (
    Draw,
    Patch,
    box_corners,
    clipped,
    fill_ellipse,
    fill_polygon,
)
from swiftseg.data.annotations.run_lengths import as_counts, bitmap_from_counts
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_color,
    as_number,
    as_points,
    as_size,
    as_text,
    as_whole,
    naming,
    read_bytes,
)

_WITH_AREA = ("polygon", "box", "ellipse", "mask")
_WITHOUT_AREA = ("polyline", "points", "cuboid", "skeleton")


def read_cvat(root: Path, files: Iterable[Path]) -> Export:
    """Read CVAT's XML files.

    Raises:
        SwiftsegError: A file is broken or one for videos, image ids repeat, or all pictures are
            missing.
    """
    gathering = Gathering(root)
    finder = PictureFinder(root)
    for path in files:
        tree = read_xml(path)
        with naming(path):
            if tree.find("track") is not None:
                raise SwiftsegError('the file is "CVAT for video"; export as "CVAT for images"')
            gathering.classes += [
                (
                    as_text(label.findtext("name"), "a label's name"),
                    as_color(label.findtext("color")),
                )
                for label in tree.iterfind("meta//labels/label")
                if label.find("parent") is None  # a part of a skeleton
            ]
            known = {name for name, _ in gathering.classes}
            _refuse_repeated_ids(tree)
        for image in tree.iterfind("image"):
            try:
                _add_image(image, path, known, finder, gathering)
            except SwiftsegError as error:
                gathering.leave_out("unreadable_annotation", str(error), path)
    return gathering.done()


def read_xml(path: Path) -> ElementTree.Element:
    """Read an XML file whose root is `annotations`.

    Raises:
        SwiftsegError: It is broken, no such file, or declares entities.
    """
    builder = ElementTree.TreeBuilder()
    parser = ElementTree.XMLParser(target=_WithoutDoctype(builder))
    held = read_bytes(path)
    with naming(path):
        try:
            parser.feed(held)
            root = parser.close()
        # An encoding that nobody knows is a LookupError, one of several bytes a ValueError.
        except (ElementTree.ParseError, LookupError, ValueError) as error:
            raise SwiftsegError(f"the XML is broken: {error}") from error
        if root.tag != "annotations":
            raise SwiftsegError(f"expected CVAT's annotations, got <{root.tag}>")
    return root


class _WithoutDoctype:
    """Builds a tree, and refuses the declarations by which a small file fills all memory."""

    def __init__(self, builder: ElementTree.TreeBuilder) -> None:
        self.start, self.end, self.data = builder.start, builder.end, builder.data
        self.close = builder.close

    def doctype(self, name: str, public_id: str | None, system: str | None) -> None:
        raise SwiftsegError("the XML has a document type, which CVAT does not write")


def _refuse_repeated_ids(tree: ElementTree.Element) -> None:
    """Raise SwiftsegError where two images of one task have one id."""
    seen: set[tuple[str | None, str | None]] = set()
    for image in tree.iterfind("image"):
        key = image.get("task_id"), image.get("id")
        if key in seen:
            raise SwiftsegError(f"the image id {key[1]} is given twice")
        seen.add(key)


def _add_image(
    image: ElementTree.Element,
    path: Path,
    known: set[str],
    finder: PictureFinder,
    gathering: Gathering,
) -> None:
    about = f"image {image.get('id')}"
    with naming(f"{path}: {about}"):
        given = as_text(image.get("name"), "name")
        picture = finder.find(given, path.parent)
        if picture is None:
            raise SwiftsegError(f"no picture {given}")
        size_hw = as_size(image.get("height"), image.get("width"))
        layered: list[tuple[int, Shape]] = []
        for index, element in enumerate(image):
            where = f"{element.tag} {index}"
            if element.tag in _WITHOUT_AREA:
                message = f"{path}: {about}: {where} has no area"
                gathering.notes.note("note", "shapes_without_area", message, path)
            if element.tag not in _WITH_AREA:
                continue
            with naming(where):
                label = as_text(element.get("label"), "label")
                if label not in known:
                    raise SwiftsegError(f"no label {label!r} in the file's meta data")
                shape = Shape(label, f"{about}: {where}", _draw(element))
                layered.append((as_whole(element.get("z_order", "0"), "z_order"), shape))
    shapes = tuple(shape for _, shape in sorted(layered, key=lambda one: one[0]))
    split = split_of(image.get("subset") or "")
    gathering.add(split, AnnotatedImage(name_of(given), picture, path, shapes, size_hw))


def _draw(element: ElementTree.Element) -> Draw:
    if element.tag == "polygon":
        pairs = [pair.split(",") for pair in (element.get("points") or "").split(";")]
        return partial(fill_polygon, rings=(as_points(pairs),))
    rotation = as_number(element.get("rotation", "0"), "rotation")
    if element.tag == "box":
        left, top, right, bottom = _numbers(element, "xtl", "ytl", "xbr", "ybr")
        corners = box_corners(left, top, right, bottom, rotation, "center")
        return partial(fill_polygon, rings=(corners,))
    if element.tag == "ellipse":
        x, y, rx, ry = _numbers(element, "cx", "cy", "rx", "ry")
        return partial(fill_ellipse, center=(x, y), radii=(rx, ry), rotation_deg=rotation)
    left, top = (as_whole(element.get(key), key) for key in ("left", "top"))
    bitmap_hw = as_size(element.get("height"), element.get("width"))
    counts = as_counts((element.get("rle") or "").split(","))
    return partial(_draw_mask, counts=counts, bitmap_hw=bitmap_hw, top=top, left=left)


def _numbers(element: ElementTree.Element, *keys: str) -> list[float]:
    return [as_number(element.get(key), key) for key in keys]


def _draw_mask(
    size_hw: tuple[int, int],
    *,
    counts: np.ndarray,
    bitmap_hw: tuple[int, int],
    top: int,
    left: int,
) -> Patch:
    covered = bitmap_from_counts(counts, bitmap_hw, "C")
    return clipped(size_hw, top, left, covered)
