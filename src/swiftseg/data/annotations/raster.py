"""Drawing shapes: which pixels they cover.

There are two conventions, and each tool has one. Where coordinates run from a pixel's edge to its
other edge (COCO, CVAT, YOLO, Label Studio), a pixel is covered if its center is inside. Where they
name pixels (Labelme, Supervisely), the pixels of the outline are covered, too.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from swiftseg.core import SwiftsegError

MAX_CROSSINGS = 20_000_000  # of outlines and rows of pixels: 480 MB; shapes have some thousands


class Patch(NamedTuple):
    """The part of a picture that a shape lies in.

    Attributes:
        top: Its first row.
        left: Its first column.
        covered: bool (h, w), within the picture.
    """

    top: int
    left: int
    covered: np.ndarray


# Draws a shape within a picture of a size (height, width). It can be pickled.
Draw = Callable[[tuple[int, int]], Patch]

NOTHING = Patch(0, 0, np.zeros((0, 0), bool))


def fill_polygon(
    size_hw: tuple[int, int], *, rings: Sequence[np.ndarray], is_relative: bool = False
) -> Patch:
    """Return the pixels whose centers are inside of an odd number of rings.

    Args:
        size_hw: The picture's size.
        rings: Outlines, float64 (n, 2) each, x before y. A ring within another is a hole.
        is_relative: Whether they are fractions of the picture's width and height.
    """
    scale = np.array(size_hw[::-1] if is_relative else (1, 1), np.float64)
    begin = np.concatenate(rings) * scale
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings]) * scale
    is_falling = (begin[:, 1] > end[:, 1])[:, np.newaxis]
    begin, end = np.where(is_falling, end, begin), np.where(is_falling, begin, end)
    left, top = _first_pixels(begin.min(0), end.min(0), size_hw)
    right, bottom = _end_pixels(begin.max(0), end.max(0), size_hw)
    if left >= right or top >= bottom:
        return NOTHING
    rows, columns = _crossings(begin, end, (top, bottom))
    width = right - left + 1  # a column more, for what leaves the picture to the right
    places = (rows - top) * width + columns.clip(left, right) - left
    counts = np.zeros((bottom - top) * width, np.uint8)  # going round after 255, they stay odd
    np.add.at(counts, places, np.uint8(1))  # a number of another type takes twenty times as long
    is_toggled = (counts & 1).view(bool).reshape(-1, width)
    return Patch(top, left, np.logical_xor.accumulate(is_toggled, axis=1, out=is_toggled)[:, :-1])


def fill_ellipse(
    size_hw: tuple[int, int],
    *,
    center: tuple[float, float],
    radii: tuple[float, float],
    rotation_deg: float = 0.0,
) -> Patch:
    """Return the pixels whose centers are inside of an ellipse that is turned clockwise."""
    reach = np.full(2, max(radii))
    left, top = _first_pixels(center - reach, center - reach, size_hw)
    right, bottom = _end_pixels(center + reach, center + reach, size_hw)
    if left >= right or top >= bottom or min(radii) <= 0:
        return NOTHING
    x, rows = np.arange(left, right) + 0.5 - center[0], np.arange(top, bottom) + 0.5 - center[1]
    cosine, sine = np.cos(np.deg2rad(rotation_deg)), np.sin(np.deg2rad(rotation_deg))
    covered = np.empty((len(rows), len(x)), bool)
    for y, row in zip(rows, covered, strict=True):  # a large one has gigabytes of coordinates
        along, across = x * cosine + y * sine, y * cosine - x * sine
        row[:] = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1
    return Patch(top, left, covered)


def box_corners(
    left: float, top: float, right: float, bottom: float, rotation_deg: float, pivot: str
) -> np.ndarray:
    """Return the corners, float64 (4, 2), of a box that is turned clockwise.

    The `pivot` stays where it is: `center`, or `corner`, the upper left one.
    """
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
    fixed = corners.mean(axis=0) if pivot == "center" else corners[0]
    cosine, sine = np.cos(np.deg2rad(rotation_deg)), np.sin(np.deg2rad(rotation_deg))
    return (corners - fixed) @ np.array([[cosine, sine], [-sine, cosine]]) + fixed


Outline = Literal["polygon", "rectangle", "circle", "line", "point"]


def draw_pixels(
    size_hw: tuple[int, int],
    *,
    outline: Outline,
    points: np.ndarray,
    holes: Sequence[np.ndarray] = (),
    width_px: int = 1,
) -> Patch:
    """Return the pixels of a shape whose points name pixels, with those of its outline.

    Args:
        size_hw: The picture's size.
        outline: A circle has its center and a point on it, a rectangle two corners.
        points: (n, 2), x before y.
        holes: Polygons, (n, 2) each. The pixels of their outlines are not covered.
        width_px: The width of a line, the radius of a point.
    """
    radius = float(np.linalg.norm(points[1] - points[0])) if outline == "circle" else width_px + 1.0
    around = points[:1] if outline == "circle" else points
    left, top = np.maximum(np.floor(around.min(0) - radius), 0).astype(int)
    right, bottom = np.ceil(around.max(0) + radius).astype(int) + 1
    right, bottom = min(right, size_hw[1]), min(bottom, size_hw[0])
    if left >= right or top >= bottom:
        return NOTHING
    canvas = Image.new("1", (int(right - left), int(bottom - top)))
    draw = ImageDraw.Draw(canvas)
    # As Pillow cuts off fractions, and Labelme draws with Pillow: before the shift, not after it.
    shifted = np.trunc(points) - (left, top)
    corners = [(float(x), float(y)) for x, y in shifted]
    if outline == "polygon":
        draw.polygon(corners, fill=1, outline=1)
        for hole in holes:
            draw.polygon([(float(x), float(y)) for x, y in np.trunc(hole) - (left, top)], 0, 0)
    elif outline == "rectangle":
        draw.rectangle([*shifted.min(0), *shifted.max(0)], fill=1, outline=1)
    elif outline == "line":
        draw.line(corners, fill=1, width=width_px)
    else:
        x, y = points[0] - (left, top)
        reach = radius if outline == "circle" else width_px
        draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=1, outline=1)
    return Patch(int(top), int(left), np.array(canvas, bool))


def clipped(size_hw: tuple[int, int], top: int, left: int, covered: np.ndarray) -> Patch:
    """Return the part of a bitmap, bool (h, w), that lies within the picture."""
    rows = slice(max(-top, 0), max(size_hw[0] - top, 0))
    columns = slice(max(-left, 0), max(size_hw[1] - left, 0))
    return Patch(max(top, 0), max(left, 0), covered[rows, columns])


def _crossings(
    begin: np.ndarray, end: np.ndarray, rows: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows whose middles the edges cross, and the first pixel to the right of each."""
    first, last = (
        np.ceil(at[:, 1] - 0.5).astype(np.int64).clip(rows[0], rows[1]) for at in (begin, end)
    )
    counts = last - first
    total = int(counts.sum())
    if total > MAX_CROSSINGS:
        raise SwiftsegError(f"the outline is too intricate ({len(begin)} points)")
    edge = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(total) - np.repeat(counts.cumsum() - counts, counts) + first[edge]
    with np.errstate(divide="ignore", invalid="ignore"):  # level edges cross no middle
        slope = (end[:, 0] - begin[:, 0]) / (end[:, 1] - begin[:, 1])
    x = begin[edge, 0] + (row + 0.5 - begin[edge, 1]) * slope[edge]
    return row, np.ceil(x - 0.5).astype(np.int64)


def _first_pixels(one: np.ndarray, other: np.ndarray, size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return the first column and row whose middles lie beyond the lower of two points."""
    left, top = np.ceil(np.minimum(one, other) - 0.5).clip(0, size_hw[::-1])
    return int(left), int(top)


def _end_pixels(one: np.ndarray, other: np.ndarray, size_hw: tuple[int, int]) -> tuple[int, int]:
    right, bottom = np.ceil(np.maximum(one, other) - 0.5).clip(0, size_hw[::-1])
    return int(right), int(bottom)
