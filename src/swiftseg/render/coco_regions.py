"""The regions of a label map in COCO's two forms: run lengths and polygons.

Both are exact. Run lengths are the strings that pycocotools reads. Polygons run along the edges of
pixels; since COCO's polygons know no holes, a region with a hole is cut in two through the hole.
"""

from typing import Any, Literal, get_args

import numpy as np

from swiftseg.kernels.coco_rle import bounding_box, run_lengths
from swiftseg.kernels.outlines import outlines, polygon_area

OutlineForm = Literal["rle", "polygons"]
OUTLINE_FORMS: tuple[OutlineForm, ...] = get_args(OutlineForm)


def coco_annotations(label_map: np.ndarray, form: OutlineForm) -> list[dict[str, Any]]:
    """Return one COCO annotation for each class that is present; its index is the category."""
    present = np.flatnonzero(np.bincount(label_map.ravel(), minlength=256))
    return [
        _annotation(number, int(index), label_map == index, form)
        for number, index in enumerate(present, start=1)
    ]


def _annotation(number: int, category: int, mask: np.ndarray, form: OutlineForm) -> dict[str, Any]:
    return {
        "id": number,
        "category_id": category,
        "segmentation": run_lengths(mask) if form == "rle" else polygons(mask),
        "area": int(np.count_nonzero(mask)),
        "bbox": list(bounding_box(mask)),
        "iscrowd": int(form == "rle"),  # COCO's own files use run lengths for crowds alone
    }


def polygons(mask: np.ndarray) -> list[list[int]]:
    """Return polygons [x0, y0, x1, y1, ...] whose union is the mask bool (H, W)."""
    rings = outlines(mask)
    holes = [ring for ring in rings if polygon_area(ring) < 0]
    if not holes:
        return [ring.ravel().tolist() for ring in rings]
    # A hole that the cut goes through, or touches, is open to the outside in both parts.
    cut = sorted(int(ring[:, 0].min()) for ring in holes)[len(holes) // 2]
    right = [[x + cut * (at % 2 == 0) for at, x in enumerate(p)] for p in polygons(mask[:, cut:])]
    return polygons(mask[:, :cut]) + right
