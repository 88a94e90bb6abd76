"""From label maps to what labeling tools import: predictions for people to correct."""

from typing import Any

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.annotations.classes import BACKGROUND_NAMES, VOID_NAMES
from swiftseg.data.annotations.regions import regions_of, simplified, with_bridges
from swiftseg.kernels.coco_rle import bounding_box, run_lengths

LABELME_VERSION = "5.5.0"  # whose fields these are
TOLERANCE_PX = 0.5  # how far Labelme's points may be from an outline


def label_map_to_coco(label_map: np.ndarray, labels: LabelSet, *, file_name: str) -> dict[str, Any]:
    """Return a label map as the content of a COCO JSON: one annotation a class, as run lengths.

    Categories have the class's index as id, so that 0 is left out where it is the background.
    Pixels of the background and of no class are not annotated.
    """
    drawn = _drawn_classes(labels)
    bitmaps = [(index, label_map == index) for index, _ in drawn]
    present = [(index, bitmap) for index, bitmap in bitmaps if bitmap.any()]
    annotations = [
        {
            "id": number,
            "image_id": 1,
            "category_id": index,
            "segmentation": run_lengths(bitmap),
            "bbox": [float(side) for side in bounding_box(bitmap)],
            "area": float(bitmap.sum()),
            "iscrowd": 0,
        }
        for number, (index, bitmap) in enumerate(present, 1)
    ]
    height, width = label_map.shape
    return {
        "images": [{"id": 1, "file_name": file_name, "height": height, "width": width}],
        "categories": [{"id": index, "name": name} for index, name in drawn],
        "annotations": annotations,
    }


def label_map_to_labelme(
    label_map: np.ndarray, labels: LabelSet, *, image_path: str
) -> dict[str, Any]:
    """Return a label map as the content of a Labelme JSON, a polygon a region.

    A hole is reached by a bridge of no width, since Labelme's polygons have one outline. Pixels of
    the background and of no class are not annotated.
    """
    shapes = [
        {
            "label": name,
            "points": with_bridges(simplified(region, TOLERANCE_PX)).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for index, name in _drawn_classes(labels)
        for region in regions_of(label_map == index)
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
