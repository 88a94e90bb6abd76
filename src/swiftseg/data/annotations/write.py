"""From label maps to what labeling tools import: predictions for people to correct."""

from typing import Any

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.annotations.classes import BACKGROUND_NAMES, VOID_NAMES
from swiftseg.data.annotations.regions import Region, regions_of, simplified, with_bridges
from swiftseg.kernels.coco_rle import counts_from_bitmap, text_from_counts
from swiftseg.kernels.outlines import polygon_area

LABELME_VERSION = "5.5.0"  # whose fields these are


def label_map_to_coco(
    label_map: np.ndarray,
    labels: LabelSet,
    *,
    file_name: str,
    image_id: int = 1,
    tolerance_px: float | None = None,
) -> dict[str, Any]:
    """Return a label map as the content of a COCO JSON.

    Categories have the class's index as id, so that 0 is left out where it is the background.

    Args:
        label_map: uint8 (H, W), class indices. Pixels of the background and of no class are not
            annotated.
        labels: The classes.
        file_name: Of the picture.
        image_id: Of the picture.
        tolerance_px: None writes one annotation a class, as compressed run lengths, which is
            exact. A number writes polygons, one a region, within so many pixels of its outline.
    """
    annotations: list[dict[str, Any]] = []
    for index, _ in _drawn_classes(labels):
        bitmap = label_map == index
        if tolerance_px is None:
            parts = [(_run_lengths(bitmap), bitmap)] if bitmap.any() else []
        else:
            parts = [
                ([with_bridges(region).ravel().tolist()], region)
                for region in _simplified_regions(bitmap, tolerance_px)
            ]
        for segmentation, shape in parts:
            box, area = _box_and_area(shape)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": index,
                    "segmentation": segmentation,
                    "bbox": box,
                    "area": area,
                    "iscrowd": 0,
                }
            )
    height, width = label_map.shape
    return {
        "images": [{"id": image_id, "file_name": file_name, "height": height, "width": width}],
        "categories": [{"id": index, "name": name} for index, name in _drawn_classes(labels)],
        "annotations": annotations,
    }


def label_map_to_labelme(
    label_map: np.ndarray, labels: LabelSet, *, image_path: str, tolerance_px: float = 0.5
) -> dict[str, Any]:
    """Return a label map as the content of a Labelme JSON, a polygon a region.

    A hole is reached by a bridge of no width, since Labelme's polygons have one outline.

    Args:
        label_map: uint8 (H, W), class indices. Pixels of the background and of no class are not
            annotated.
        labels: The classes.
        image_path: Of the picture, relative to where the JSON will lie.
        tolerance_px: How far points may be from the outline.
    """
    shapes = [
        {
            "label": name,
            "points": with_bridges(region).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for index, name in _drawn_classes(labels)
        for region in _simplified_regions(label_map == index, tolerance_px)
    ]
    height, width = label_map.shape
    return {
        "version": LABELME_VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def _drawn_classes(labels: LabelSet) -> list[tuple[int, str]]:
    """Return the classes that are drawn: all but the background."""
    left_out = (*BACKGROUND_NAMES, *VOID_NAMES)
    return [(i, name) for i, name in enumerate(labels.names) if name.lower() not in left_out]


def _simplified_regions(bitmap: np.ndarray, tolerance_px: float) -> list[Region]:
    return [
        Region(
            simplified(region.outline, tolerance_px),
            [simplified(hole, tolerance_px) for hole in region.holes],
        )
        for region in regions_of(bitmap)
    ]


def _run_lengths(bitmap: np.ndarray) -> dict[str, Any]:
    counts = text_from_counts(counts_from_bitmap(bitmap))
    return {"size": list(bitmap.shape), "counts": counts}


def _box_and_area(shape: np.ndarray | Region) -> tuple[list[float], float]:
    """Return a shape's box (left, top, width, height) and the pixels in it."""
    if isinstance(shape, Region):
        (left, top), (right, bottom) = shape.outline.min(axis=0), shape.outline.max(axis=0)
        rings = [shape.outline, *shape.holes]
        area = sum(polygon_area(ring) for ring in rings)  # holes are negative
    else:
        rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
        left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        area = float(shape.sum())
    return [float(left), float(top), float(right - left), float(bottom - top)], area
