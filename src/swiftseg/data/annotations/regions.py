"""The regions of a bitmap as polygons with holes."""

from typing import NamedTuple

import numpy as np

from swiftseg.kernels.outlines import outlines, polygon_area


class Region(NamedTuple):
    """A connected region's outline and holes, float64 (n, 2) each, x before y.

    The outline runs clockwise as it is seen, holes the other way.
    """

    outline: np.ndarray
    holes: list[np.ndarray]


def regions_of(bitmap: np.ndarray) -> list[Region]:
    """Return the regions of a bitmap, bool (H, W), whose pixels share edges."""
    rings = [ring.astype(np.float64) for ring in outlines(bitmap)]
    regions = [Region(ring, []) for ring in rings if polygon_area(ring) > 0]
    regions.sort(key=lambda region: polygon_area(region.outline))
    for hole in (ring for ring in rings if polygon_area(ring) < 0):
        # A hole begins at the upper left corner of a pixel that it holds.
        pixel = hole[0] + 0.5
        owner = next(region for region in regions if _is_within(pixel, region.outline))
        owner.holes.append(hole)
    regions.sort(key=lambda region: tuple(region.outline[0][::-1]))
    return regions


def simplified(region: Region, tolerance_px: float) -> Region:
    """Return a region whose outline and holes have fewer points, see `simplified_ring`."""
    holes = [simplified_ring(hole, tolerance_px) for hole in region.holes]
    return Region(simplified_ring(region.outline, tolerance_px), holes)


def simplified_ring(ring: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Return a ring with fewer points, none of its own farther from it than a tolerance.

    Douglas and Peucker, "Algorithms for the reduction of the number of points", 1973. A ring that
    would collapse stays as it is.
    """
    if tolerance_px <= 0 or len(ring) < 5:
        return ring
    far = int(np.linalg.norm(ring - ring[0], axis=1).argmax())
    closed = np.concatenate([ring, ring[:1]])
    is_kept = np.zeros(len(closed), bool)
    is_kept[[0, far, -1]] = True
    spans = [(0, far), (far, len(closed) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(closed[first + 1 : last], closed[first], closed[last])
        at = int(distances.argmax())
        if distances[at] > tolerance_px:
            middle = first + 1 + at
            is_kept[middle] = True
            spans += [(first, middle), (middle, last)]
    kept = closed[:-1][is_kept[:-1]]
    return kept if len(kept) > 2 else ring


def with_bridges(region: Region) -> np.ndarray:
    """Return a region as one ring: a bridge of no width leads to each hole and back.

    So holes survive in formats whose polygons have one outline.
    """
    ring = region.outline
    for hole in sorted(region.holes, key=lambda hole: tuple(hole[0][::-1])):
        between = np.linalg.norm(ring[:, np.newaxis] - hole[np.newaxis], axis=2)
        at, hole_at = np.unravel_index(int(between.argmin()), between.shape)
        around = np.concatenate([hole[hole_at:], hole[: hole_at + 1]])
        ring = np.concatenate([ring[: at + 1], around, ring[at:]])
    return ring


def _is_within(point: np.ndarray, ring: np.ndarray) -> bool:
    """Whether a point, on no edge, is within a ring of edges along the axes."""
    following = np.roll(ring, -1, axis=0)
    is_level = (ring[:, 1] > point[1]) != (following[:, 1] > point[1])
    return bool((ring[is_level, 0] > point[0]).sum() % 2)


def _distances(points: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return how far points (n, 2) are from a line segment."""
    along = end - begin
    length = float(along @ along)
    share = ((points - begin) @ along / length).clip(0, 1) if length else np.zeros(len(points))
    return np.linalg.norm(points - (begin + share[:, np.newaxis] * along), axis=1)
