"""Which pixels shapes cover, against rules that are applied pixel by pixel."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.raster import (
    Draw,
    Outline,
    box_corners,
    draw_pixels,
    fill_ellipse,
    fill_polygon,
)

# pycocotools 2.0.11 warns of itself: it was made for numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE_HW = (40, 50)


def full(draw: Draw | object, size_hw: tuple[int, int] = SIZE_HW, **given: object) -> np.ndarray:
    top, left, covered = draw(size_hw, **given)  # type: ignore[operator]
    bitmap = np.zeros(size_hw, bool)
    bitmap[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    return bitmap


def crossings(x: float, y: float, ring: list[tuple[float, float]]) -> int:
    """Counts the edges of a ring to the left of a point."""
    count = 0
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (y0 <= y) != (y1 <= y):
            count += x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x
    return count


def by_centers(*rings: list[tuple[float, float]]) -> np.ndarray:
    """Covers a pixel whose center has an odd number of edges to its left."""
    return np.array(
        [
            [sum(crossings(c + 0.5, r + 0.5, ring) for ring in rings) % 2 for c in range(50)]
            for r in range(40)
        ],
        bool,
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_polygon_covers_the_pixels_whose_centers_are_inside(seed: int):
    rng = np.random.default_rng(seed)
    rings = [rng.uniform(-20, 70, (rng.integers(3, 9), 2)) for _ in range(rng.integers(1, 4))]
    expected = by_centers(*[[tuple(point) for point in ring] for ring in rings])
    np.testing.assert_array_equal(full(fill_polygon, rings=rings), expected)


@pytest.mark.parametrize("seed", range(6))
def test_polygons_agree_with_pycocotools_but_for_the_outline(seed: int):
    """pycocotools rounds to a fifth of a pixel; only pixels that an edge comes near may differ."""
    angles = np.sort(np.random.default_rng(seed).uniform(0, 2 * np.pi, 12))
    ring = np.stack([25 + 18 * np.cos(angles), 20 + 15 * np.sin(angles)], axis=1)
    [packed] = coco_mask.frPyObjects([ring.ravel().tolist()], *SIZE_HW)
    reference = coco_mask.decode(packed).astype(bool)
    differing = full(fill_polygon, rings=[ring]) ^ reference
    assert differing.sum() <= 0.03 * reference.sum()
    near = np.zeros(SIZE_HW, bool)
    for begin, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        for share in np.linspace(0, 1, 200):
            x, y = begin + share * (end - begin)
            near[
                max(int(y - 0.5), 0) : int(y + 0.5) + 1, max(int(x - 0.5), 0) : int(x + 0.5) + 1
            ] = 1
    assert not (differing & ~near).any()


def test_boxes_whose_edges_are_edges_of_pixels_are_exact_in_both():
    ring = [4.0, 3.0, 30.0, 3.0, 30.0, 21.0, 4.0, 21.0]
    [packed] = coco_mask.frPyObjects([ring], *SIZE_HW)
    drawn = full(fill_polygon, rings=[np.reshape(ring, (4, 2))])
    np.testing.assert_array_equal(drawn, coco_mask.decode(packed).astype(bool))
    assert drawn.sum() == 26 * 18


def test_polygons_that_share_an_edge_neither_overlap_nor_leave_a_gap():
    one = np.array([(0, 0), (50, 0), (0, 40)], float)
    other = np.array([(50, 0), (50, 40), (0, 40)], float)
    covered = full(fill_polygon, rings=[one]).astype(int) + full(fill_polygon, rings=[other])
    assert (covered == 1).all()


@pytest.mark.parametrize(
    "ring",
    [
        [(60, 5), (90, 5), (90, 20)],  # to the right
        [(-30, -30), (-10, -30), (-10, -5)],
        [(5, 5), (5, 5), (5, 5)],
        [(3, 3), (20, 3), (8, 3)],  # flat
        [(9.6, 9.6), (9.9, 9.6), (9.9, 9.9)],  # between centers
    ],
)
def test_what_covers_no_center_covers_nothing(ring: list[tuple[float, float]]):
    assert not full(fill_polygon, rings=[np.array(ring, float)]).any()


def test_what_is_beyond_the_picture_is_cut_off():
    ring = np.array([(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)])
    assert full(fill_polygon, rings=[ring]).all()


def test_an_outline_without_end_is_refused_rather_than_drawn():
    comb = np.stack([np.arange(60_000) / 2e3, np.tile([0.0, 5000.0], 30_000)], axis=1)
    with pytest.raises(SwiftsegError, match="the outline is too intricate"):
        fill_polygon((5000, 40), rings=[comb])


def test_fractions_are_of_width_and_height():
    ring = np.array([(0.5, 0.25), (1, 0.25), (1, 1), (0.5, 1)])
    expected = np.zeros(SIZE_HW, bool)
    expected[10:, 25:] = True
    drawn = full(fill_polygon, rings=[ring], is_relative=True)
    np.testing.assert_array_equal(drawn, expected)


def test_an_ellipse_covers_the_pixels_whose_centers_are_inside():
    drawn = full(fill_ellipse, center=(20.0, 18.0), radii=(12.0, 5.0), rotation_deg=90.0)
    y, x = np.mgrid[:40, :50] + 0.5
    np.testing.assert_array_equal(drawn, ((x - 20) / 5) ** 2 + ((y - 18) / 12) ** 2 <= 1)


@pytest.mark.parametrize(
    ("pivot", "expected"),
    [
        ("center", [(25, 9), (25, 29), (15, 29), (15, 9)]),
        ("corner", [(10, 14), (10, 34), (0, 34), (0, 14)]),
    ],
)
def test_boxes_turn_clockwise(pivot: str, expected: list[tuple[int, int]]):
    np.testing.assert_allclose(box_corners(10, 14, 30, 24, 90, pivot), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_polygons_of_pixels_are_drawn_as_labelme_draws_them(seed: int):
    points = np.random.default_rng(seed).uniform(0, 40, (6, 2))
    canvas = Image.new("L", SIZE_HW[::-1])
    ImageDraw.Draw(canvas).polygon([tuple(point) for point in points], fill=1, outline=1)
    drawn = full(draw_pixels, outline="polygon", points=points)
    np.testing.assert_array_equal(drawn, np.array(canvas, bool))


@pytest.mark.parametrize(
    ("outline", "points", "width_px"),
    [
        ("rectangle", [(30.6, 22.2), (7.3, 5.8)], 1),
        ("circle", [(20.0, 17.0), (26.0, 25.0)], 1),
        ("line", [(5.0, 5.0), (38.0, 30.0), (12.0, 33.0)], 10),
        ("point", [(3.0, 37.0)], 5),
    ],
)
def test_other_shapes_are_drawn_as_labelme_draws_them(
    outline: Outline, points: list[tuple[float, float]], width_px: int
):
    canvas = Image.new("L", SIZE_HW[::-1])
    draw = ImageDraw.Draw(canvas)
    if outline == "rectangle":
        draw.rectangle([points[1], points[0]], fill=1, outline=1)
    elif outline == "line":
        draw.line(points, fill=1, width=10)
    else:
        (x, y), radius = points[0], 10 if outline == "circle" else 5
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=1, outline=1)
    drawn = full(draw_pixels, outline=outline, points=np.array(points), width_px=width_px)
    np.testing.assert_array_equal(drawn, np.array(canvas, bool))
