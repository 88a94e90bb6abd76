"""Supervisely's projects: `meta.json`, and in each data set `img` and `ann/NAME.json`.

Points name pixels. A polygon has an outline (`exterior`) and holes (`interior`), which are cut out
with their outlines; a bitmap is a PNG, packed by zlib and base64, at an `origin`. Objects are
painted in the file's order, as Supervisely's SDK draws them. Lines, points, graphs and cuboids
have no area and are left aside. Splits are the names of data sets, or else tags of images.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.bitmaps import inflated, open_bitmap
from swiftseg.data.annotations.places import files_below, name_of, split_of
from swiftseg.data.annotations.raster import Draw, Patch, clipped, draw_pixels
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_base64,
    as_color,
    as_fields,
    as_list,
    as_numbers,
    as_points,
    as_size,
    as_text,
    as_whole,
    naming,
    read_json,
    short,
)

META = "meta.json"
_BYTES_A_PIXEL = 8  # of a PNG, however badly it is packed
_HEADER_BYTES = 1 << 16
_WITHOUT_AREA = ("line", "polyline", "point", "graph", "cuboid", "cuboid_2d", "multichannelBitmap")


def read_supervisely(root: Path) -> Export:
    """Read a project; an annotation that is broken costs its own image alone.

    Raises:
        SwiftsegError: `meta.json` is broken, or no image can be read.
    """
    gathering = Gathering(root)
    meta = as_fields(read_json(root / META), "the file")
    shape_of: dict[str, str] = {}
    with naming(root / META):
        for value in as_list(meta.get("classes"), "classes"):
            fields = as_fields(value, "a class")
            title = as_text(fields.get("title"), "title")
            shape_of[title] = str(fields.get("shape"))
            gathering.classes.append((title, as_color(fields.get("color"))))
    for path in files_below(root, ".json"):
        if path.parent.name != "ann":
            continue
        try:
            _add_file(path, root, shape_of, gathering)
        except SwiftsegError as error:
            gathering.leave_out("unreadable_annotation", str(error), path)
    return gathering.done()


def _add_file(path: Path, root: Path, shape_of: dict[str, str], gathering: Gathering) -> None:
    fields = as_fields(read_json(path), "the file")
    dataset = path.parent.parent
    with naming(path):
        picture = dataset / "img" / path.stem
        if not picture.is_file():
            raise SwiftsegError(f"no picture {picture}")
        size = as_fields(fields.get("size"), "size")
        size_hw = as_size(size.get("height"), size.get("width"))
        shapes: list[Shape] = []
        for index, value in enumerate(as_list(fields.get("objects"), "objects")):
            with naming(f"object {index}"):
                found = as_fields(value, "an object")
                title = as_text(found.get("classTitle"), "classTitle")
                if title not in shape_of:
                    raise SwiftsegError(f"no class {title!r} in {META}")
                kind = found.get("geometryType") or _kind_of(found, shape_of[title])
                if kind in _WITHOUT_AREA:
                    message = f"{path}: object {index} is a {kind}, which has no area"
                    gathering.notes.note("note", "shapes_without_area", message, path)
                    continue
                shapes.append(Shape(title, f"object {index}", _draw(found, kind)))
        tags = [as_fields(tag, "a tag") for tag in as_list(fields.get("tags") or [], "tags")]
    parts = dataset.relative_to(root).parts
    split = split_of(*parts, *(str(tag.get("name")) for tag in tags))
    name = "/".join([*parts, name_of(picture.name)])
    gathering.add(split, AnnotatedImage(name, picture, path, tuple(shapes), size_hw))


def _kind_of(found: dict[str, Any], shape: str) -> str:
    """Return the geometry of an object in old files, which do not name it."""
    return "bitmap" if found.get("bitmap") else shape


def _draw(found: dict[str, Any], kind: Any) -> Draw:
    if kind == "bitmap":
        bitmap = as_fields(found.get("bitmap"), "bitmap")
        origin = as_numbers(bitmap.get("origin"), 2, "origin")
        left, top = (as_whole(at, "origin") for at in origin)
        data = as_text(bitmap.get("data"), "data")
        return partial(_draw_bitmap, data=data, top=top, left=left)
    points = as_fields(found.get("points"), "points")
    if kind == "rectangle":
        corners = as_points(points.get("exterior"), least=2)
        return partial(draw_pixels, outline="rectangle", points=corners)
    if kind != "polygon":
        raise SwiftsegError(f"unknown geometryType {short(kind)}")
    holes = tuple(as_points(ring) for ring in as_list(points.get("interior") or [], "interior"))
    exterior = as_points(points.get("exterior"))
    return partial(draw_pixels, outline="polygon", points=exterior, holes=holes)


def _draw_bitmap(size_hw: tuple[int, int], *, data: str, top: int, left: int) -> Patch:
    packed = as_base64(data, "the bitmap")
    max_bytes = _BYTES_A_PIXEL * size_hw[0] * size_hw[1] + _HEADER_BYTES
    with open_bitmap(inflated(packed, max_bytes), size_hw) as image:
        covered = _covered(image)
    return clipped(size_hw, top, left, covered)


def _covered(image: Image.Image) -> np.ndarray:
    """Return where a bitmap is not transparent, or not 0 where it has no transparency."""
    if image.mode in ("RGBA", "LA"):
        return np.array(image.getchannel("A")) > 0
    return np.array(image if image.mode in ("P", "L", "1") else image.convert("L")) > 0
