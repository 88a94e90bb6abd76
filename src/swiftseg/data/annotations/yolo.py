"""YOLO's segmentation labels, as Ultralytics, CVAT, Roboflow and Label Studio write them.

A YAML names the classes and, for each split, folders or lists of pictures. The labels of
`.../images/x.jpg` are in `.../labels/x.txt`, one object a line: the class, and a polygon in
fractions of the width and height; a line of five numbers is a box (its center and size). A picture
without a file of labels has no object. Smaller objects are painted over larger ones, as
Ultralytics does (`polygons2masks_overlap`).
"""

from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml

from swiftseg.core import SwiftsegError
from swiftseg.core.yaml_text import parse_yaml
from swiftseg.data.annotations.places import files_below, name_of, split_of
from swiftseg.data.annotations.raster import fill_polygon
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_fields,
    as_points,
    as_text,
    naming,
    read_text,
    short,
)
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.own.words import whole_number
from swiftseg.kernels.outlines import polygon_area

SPLIT_KEYS = ("train", "val", "test")


def read_yolo(file: Path) -> Export:
    """Read the data set that a YAML describes; a label file that is broken costs its own image.

    Raises:
        SwiftsegError: The YAML is broken, or a folder that it names is missing.
    """
    fields = as_fields(read_yolo_yaml(file), "the file")
    gathering = Gathering(file)
    with naming(file):
        names = _names_of(fields.get("names"))
        gathering.classes = [(name, None) for name in names.values()]
        base = _base_of(file, fields.get("path"))
        pictures = {key: _pictures(base, fields[key]) for key in SPLIT_KEYS if fields.get(key)}
    for split, found in pictures.items():
        for root, picture in found:
            labels = labels_of(picture)
            if not picture.is_file():
                gathering.leave_out("missing_picture", f"{file}: no picture {picture}", picture)
                continue
            try:
                shapes = _shapes(labels, names) if labels.is_file() else ()
            except SwiftsegError as error:
                gathering.leave_out("unreadable_annotation", str(error), labels)
                continue
            for shape in shapes:
                if shape.about.startswith("box"):
                    message = f"{labels}: {shape.about} is filled: a line of five numbers is a box"
                    gathering.notes.note("warning", "filled_boxes", message, labels)
            name = name_of(picture.relative_to(root).as_posix())
            gathering.add(split, AnnotatedImage(name, picture, labels, shapes))
    if gathering.splits and not any(
        image.shapes for images in gathering.splits.values() for image in images
    ):
        first = next(image for images in gathering.splits.values() for image in images)
        raise SwiftsegError(f"{file}: no picture has labels; {first.annotation} was looked for")
    return gathering.done()


def read_yolo_yaml(file: Path) -> Any:
    """Read the YAML.

    Raises:
        SwiftsegError: It is no YAML of plain values.
    """
    try:
        return parse_yaml(read_text(file))
    except (yaml.YAMLError, RecursionError) as error:
        raise SwiftsegError(f"{file}: {' '.join(str(error).split())}") from error


def labels_of(picture: Path) -> Path:
    """Return the file of a picture's labels: `labels` in place of the last folder `images`."""
    parts = list(picture.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 1 - parts[:-1][::-1].index("images") - 1
        parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")


def _names_of(value: Any) -> dict[int, str]:
    if isinstance(value, dict):
        numbered = list(cast(dict[Any, Any], value).items())
    elif isinstance(value, list):
        numbered = list(enumerate(cast(list[Any], value)))
    else:
        raise SwiftsegError(f"expected names as a list, or by number, got {short(value)}")
    if not all(isinstance(number, int) for number, _ in numbered):
        raise SwiftsegError("expected names by number, such as {0: person, 1: car}")
    return {number: as_text(str(name), "a name") for number, name in sorted(numbered)}


def _base_of(file: Path, given: Any) -> Path:
    """Return the folder that the YAML's paths begin at."""
    base = file.parent / str(given or ".")
    return base if base.is_dir() else file.parent  # a path on the machine where it was written


def _pictures(base: Path, given: Any) -> list[tuple[Path, Path]]:
    """Return the pictures of a split, each with the folder that its name begins at."""
    found: list[tuple[Path, Path]] = []
    for part in cast(list[Any], given) if isinstance(given, list) else [given]:
        place = _existing(base, as_text(part, "a folder"))
        if place is None:
            raise SwiftsegError(f"{base / part}: no such file or folder")
        if place.is_dir():
            root = place / "images" if (place / "images").is_dir() else place
            found += [(root, path) for path in files_below(root, *IMAGE_SUFFIXES)]
            continue
        for line in read_text(place).splitlines():
            if line.strip():
                picture = _existing(base, line.strip()) or base / line.strip()
                found.append((_root_of(picture), picture))
    return found


def _existing(base: Path, given: str) -> Path | None:
    """Return where a path leads; Roboflow writes one step upward too many, others `data/`."""
    given = given.replace("\\", "/")
    tried = [base / given]
    while given.startswith("../"):
        given = given.removeprefix("../")
        tried.append(base / given)
    tried.append(base / given.removeprefix("data/"))
    return next((path for path in tried if path.exists()), None)


def _root_of(picture: Path) -> Path:
    """Return the folder that a listed picture's name begins at: below `images/SPLIT`, if it is."""
    parts = picture.parts[:-1]
    if "images" not in parts:
        return picture.parent
    at = len(parts) - parts[::-1].index("images")
    inner = parts[at : at + 1]
    return Path(*parts[: at + 1]) if inner and split_of(*inner) != "all" else Path(*parts[:at])


def _shapes(path: Path, names: dict[int, str]) -> tuple[Shape, ...]:
    sized: list[tuple[float, Shape]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        values = line.split()
        if not values:
            continue
        with naming(f"{path}: line {number}"):
            ring = _ring(values[1:])
            value = whole_number(values[0])
            name = None if value is None else names.get(value)
            if name is None:
                raise SwiftsegError(f"no class {values[0]}; there are {len(names)}")
            draw = partial(fill_polygon, rings=(ring,), is_relative=True)
            about = f"{'box' if len(values) == 5 else 'polygon'} in line {number}"
            sized.append((abs(polygon_area(ring)), Shape(name, about, draw)))
    return tuple(shape for _, shape in sorted(sized, key=lambda one: -one[0]))


def _ring(values: list[str]) -> np.ndarray:
    if len(values) % 2:
        raise SwiftsegError(f"expected a class and pairs of numbers, got {len(values) + 1} numbers")
    points = as_points(values, least=2)
    if np.abs(points).max() > 2:
        raise SwiftsegError("expected fractions of the width and height, got pixels")
    if len(points) == 2:
        (x, y), (width, height) = points
        low, high = (x - width / 2, y - height / 2), (x + width / 2, y + height / 2)
        return np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    return as_points(points)
