"""Label Studio's JSON: a list of tasks, each with a picture and annotations.

Polygons, rectangles and ellipses are in percent of the picture; brushes are packed run lengths of
its size. Regions are painted in their order in the annotation. Where several people annotated a
task, the one that is marked as ground truth counts, or else the one that was changed last; skipped
annotations, drafts and predictions do not count. The export has no list of classes: they stand in
the order of the alphabet. It has no pictures either: they are looked for below its folder by their
name, also without the eight characters that Label Studio puts before an uploaded one.
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.places import PictureFinder, name_of, plain_path, split_of
from swiftseg.data.annotations.raster import Draw, Patch, box_corners, fill_ellipse, fill_polygon
from swiftseg.data.annotations.run_lengths import unpack_label_studio
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export, Gathering, Shape
from swiftseg.data.annotations.tool_files import (
    as_fields,
    as_list,
    as_number,
    as_points,
    as_size,
    as_text,
    naming,
    read_json,
    short,
)
from swiftseg.data.images.header import IMAGE_SUFFIXES

_LABEL_KEYS = ("polygonlabels", "rectanglelabels", "ellipselabels", "brushlabels", "labels")


def read_label_studio(root: Path, files: Iterable[Path]) -> Export:
    """Read Label Studio's JSON files.

    Raises:
        SwiftsegError: A file is broken, task ids repeat, or all pictures are missing.
    """
    gathering = Gathering(root)
    finder = PictureFinder(root)
    for path in files:
        content = read_json(path)
        with naming(path):
            tasks = [as_fields(task, "a task") for task in as_list(content, "the file")]
            ids = Counter(str(task["id"]) for task in tasks if "id" in task)
            for repeated in (key for key, count in ids.items() if count > 1):
                raise SwiftsegError(f"the task id {repeated} is given twice")
        for index, task in enumerate(tasks):
            try:
                with naming(f"{path}: task {task.get('id', index)}"):
                    _add_task(task, path, finder, gathering)
            except SwiftsegError as error:
                gathering.leave_out("unreadable_annotation", str(error), path)
    images = [image for split in gathering.splits.values() for image in split]
    labels = {shape.label for image in images for shape in image.shapes}
    gathering.classes = [(label, None) for label in sorted(labels)]
    return gathering.done()


def _add_task(
    task: dict[str, Any], path: Path, finder: PictureFinder, gathering: Gathering
) -> None:
    given = _picture_of(as_fields(task.get("data"), "data"), task.get("file_upload"))
    annotation = _chosen(task, path, gathering)
    if annotation is None:
        message = f"{path}: task {task.get('id')} has no annotation and is left out"
        gathering.notes.note("note", "not_annotated", message, path)
        return
    picture = finder.find(given, path.parent)
    if picture is None:
        raise SwiftsegError(f"no picture {plain_path(given)} below {finder.root}")
    shapes: list[Shape] = []
    size_hw = None
    for index, value in enumerate(as_list(annotation.get("result"), "result")):
        region = as_fields(value, "a region")
        about = f"region {region.get('id', index)}"
        with naming(about):
            values = region.get("value")
            label = _label_of(cast(dict[str, Any], values)) if isinstance(values, dict) else None
            if label is None:
                continue  # a choice, a text, a relation
            size_hw = as_size(region.get("original_height"), region.get("original_width"))
            if region.get("image_rotation") not in (None, 0):
                raise SwiftsegError("the picture was turned in Label Studio; turn its file instead")
            draw = _draw(cast(dict[str, Any], values), size_hw)
            if draw is None:
                message = f"{path}: task {task.get('id')}: {about} has no area"
                gathering.notes.note("note", "shapes_without_area", message, path)
                continue
            shapes.append(Shape(label, f"task {task.get('id')}: {about}", draw))
    is_below = picture.is_relative_to(finder.root)
    name = name_of((picture.relative_to(finder.root) if is_below else picture).as_posix())
    image = AnnotatedImage(name, picture, path, tuple(shapes), size_hw)
    gathering.add(split_of(path.stem), image)


def _picture_of(data: dict[str, Any], uploaded: Any) -> str:
    """Return what a task calls its picture, whatever the key."""
    texts = [value for value in data.values() if isinstance(value, str)]
    pictures = [text for text in texts if plain_path(text).lower().endswith(IMAGE_SUFFIXES)]
    return as_text(next(iter(pictures), uploaded), "a picture in data")


def _chosen(task: dict[str, Any], path: Path, gathering: Gathering) -> dict[str, Any] | None:
    given = as_list(task.get("annotations", task.get("completions")), "annotations")
    annotations = [as_fields(one, "an annotation") for one in given]
    counting = [one for one in annotations if not one.get("was_cancelled")]
    if not counting:
        return None
    if len(counting) > 1:
        message = (
            f"{path}: task {task.get('id')} has {len(counting)} annotations; the ground truth, or "
            "else the latest one, is taken"
        )
        gathering.notes.note("note", "several_annotations", message, path)
    return max(
        counting, key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or ""))
    )


def _label_of(values: dict[str, Any]) -> str | None:
    """Return a region's class, or None where it has none."""
    labels = next((values[key] for key in _LABEL_KEYS if key in values), None)
    if labels is None:
        return None
    named = as_list(labels, "labels")
    if len(named) != 1:
        raise SwiftsegError(f"expected one label, got {short(named)}")
    return as_text(named[0], "a label")


def _draw(values: dict[str, Any], size_hw: tuple[int, int]) -> Draw | None:
    height, width = size_hw
    if "rle" in values:
        return partial(_draw_brush, rle=_packed(values["rle"]), brush_hw=size_hw)
    if "points" in values:
        points = as_points(values["points"]) * (width / 100, height / 100)
        return partial(fill_polygon, rings=(points,))
    if "radiusX" in values:
        x, y, rx, ry = (as_number(values.get(key), key) for key in ("x", "y", "radiusX", "radiusY"))
        return partial(
            fill_ellipse,
            center=(x * width / 100, y * height / 100),
            radii=(rx * width / 100, ry * height / 100),
            rotation_deg=as_number(values.get("rotation", 0), "rotation"),
        )
    if "height" not in values:
        return None  # a key point
    x, y, w, h = (as_number(values.get(key), key) for key in ("x", "y", "width", "height"))
    left, top = x * width / 100, y * height / 100
    right, bottom = (x + w) * width / 100, (y + h) * height / 100
    rotation = as_number(values.get("rotation", 0), "rotation")
    corners = box_corners(left, top, right, bottom, rotation, "corner")
    return partial(fill_polygon, rings=(corners,))


def _packed(rle: Any) -> bytes:
    """Return the brush's code as bytes, an eighth of the memory of a list."""
    try:
        return bytes(as_list(rle, "rle"))
    except (TypeError, ValueError) as error:
        raise SwiftsegError("expected the brush's code as bytes of 0 to 255") from error


def _draw_brush(size_hw: tuple[int, int], *, rle: bytes, brush_hw: tuple[int, int]) -> Patch:
    covered = unpack_label_studio(rle, brush_hw)
    if brush_hw != size_hw:
        raise SwiftsegError(f"the brush is of {brush_hw}, the picture of {size_hw}")
    return Patch(0, 0, covered)
