"""The regions of a label map in COCO's two forms: run lengths and polygons.

Both are exact. Run lengths are the strings that pycocotools reads. Polygons run along the edges of
pixels; since COCO's polygons know no holes, a region with a hole is cut in two through the hole.
"""

from typing import Any, Literal

import numpy as np

OutlineForm = Literal["rle", "polygons"]


def coco_annotations(label_map: np.ndarray, form: OutlineForm) -> list[dict[str, Any]]:
    """Return one COCO annotation for each class that is present.

    Args:
        label_map: uint8 (H, W), class indices, which become the category ids.
        form: How the regions are written.
    """
    present = np.flatnonzero(np.bincount(label_map.ravel(), minlength=256))
    return [
        _annotation(number, int(index), label_map == index, form)
        for number, index in enumerate(present, start=1)
    ]


def _annotation(number: int, category: int, mask: np.ndarray, form: OutlineForm) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "id": number,
        "category_id": category,
        "segmentation": run_lengths(mask) if form == "rle" else polygons(mask),
        "area": int(np.count_nonzero(mask)),
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "iscrowd": int(form == "rle"),  # COCO's own files use run lengths for crowds alone
    }


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """Return the run lengths of a mask bool (H, W) by column, as pycocotools writes them."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    begin = [0, 0] if flat[0] else [0]  # the first run is of zeros, empty where a one comes first
    counts = np.diff(np.concatenate([begin, changes, [flat.size]]))
    return {"size": list(mask.shape), "counts": _packed(counts)}


def _packed(counts: np.ndarray) -> str:
    """Pack the counts as COCO does: from the fourth on as differences to the last but one."""
    differences = counts.astype(np.int64)
    differences[3:] -= counts[1:-2]
    characters: list[str] = []
    for value in differences.tolist():
        is_last = False
        while not is_last:  # five bits a character, the lowest first, the sixth says that more come
            low = value & 0x1F
            value >>= 5
            is_last = value == (-1 if low & 0x10 else 0)
            characters.append(chr(48 + (low if is_last else low | 0x20)))
    return "".join(characters)


def polygons(mask: np.ndarray) -> list[list[int]]:
    """Return polygons [x0, y0, x1, y1, ...] whose union is the mask bool (H, W)."""
    rings = _rings(mask)
    holes = [ring for ring in rings if _signed_area(ring) < 0]
    if not holes:
        return [ring.ravel().tolist() for ring in rings]
    # A hole that the cut goes through, or touches, is open to the outside in both parts.
    cut = sorted(int(ring[:, 0].min()) for ring in holes)[len(holes) // 2]
    right = [[x + cut * (at % 2 == 0) for at, x in enumerate(p)] for p in polygons(mask[:, cut:])]
    return polygons(mask[:, :cut]) + right


def _signed_area(ring: np.ndarray) -> float:
    x, y = ring[:, 0].astype(np.float64), ring[:, 1].astype(np.float64)
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _rings(mask: np.ndarray) -> list[np.ndarray]:
    """Trace the outlines of a mask bool (H, W) as corners int (n, 2) of x and y.

    A corner is where an odd number of the four pixels around a point belong to the mask; two that
    touch only diagonally make two corners in one place. In each row of points the corners form
    pairs that a horizontal edge joins, in each column pairs that a vertical edge joins.
    """
    padded = np.pad(mask, 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    count = (a ^ b ^ c ^ d) + 2 * ((a == d) & (b == c) & (a != b)).astype(np.uint8)
    y, x = np.nonzero(count)
    times = count[y, x]
    y, x = np.repeat(y, times), np.repeat(x, times)
    along_row = _partners(np.lexsort((x, y)))
    along_column = _partners(np.lexsort((y, x)))
    return _cycles(np.stack([x, y], axis=1), along_row, along_column, padded)


def _partners(order: np.ndarray) -> np.ndarray:
    """Return, of corners sorted by `order`, the other one of each pair of neighbors."""
    partners = np.empty_like(order)
    partners[order[0::2]] = order[1::2]
    partners[order[1::2]] = order[0::2]
    return partners


def _cycles(
    corners: np.ndarray, along_row: np.ndarray, along_column: np.ndarray, padded: np.ndarray
) -> list[np.ndarray]:
    """Follow rows and columns in turn; outer rings come with a positive area, holes negative."""
    rows, columns = along_row.tolist(), along_column.tolist()
    is_open = [True] * len(rows)
    rings: list[np.ndarray] = []
    for start in range(len(rows)):
        if not is_open[start]:
            continue
        ring: list[int] = []
        at = start
        while is_open[at]:
            beside = rows[at]
            is_open[at] = is_open[beside] = False
            ring += [at, beside]
            at = columns[beside]
        rings.append(_oriented(corners[ring], padded))
    return rings


def _oriented(ring: np.ndarray, padded: np.ndarray) -> np.ndarray:
    """Turn a ring so that the mask lies to the right of its first edge, y pointing down."""
    (x0, y), (x1, _) = ring[0].tolist(), ring[1].tolist()
    is_below = bool(padded[y + 1, min(x0, x1) + 1])
    return ring if is_below == (x0 < x1) else ring[::-1]
