"""The outlines of bitmaps along the edges of pixels, exact, with holes."""

import numpy as np


def polygon_area(ring: np.ndarray) -> float:
    """Return the area within a ring (n, 2), negative where it runs counterclockwise."""
    following = np.roll(ring, -1, axis=0)
    return float((ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]).sum() / 2)


def outlines(bitmap: np.ndarray) -> list[np.ndarray]:
    """Return the outlines of a bitmap, bool (H, W), as corners int64 (n, 2), x before y.

    A region is of pixels that share edges. It lies to the right of its outlines, as they are seen:
    the outer one runs clockwise, holes the other way. An outline begins at its topmost corner, the
    leftmost of these.

    A corner is where an odd number of the four pixels around a point are set; two pixels that
    touch only diagonally make two corners in one place. In each row of points the corners form
    pairs that a horizontal edge joins, in each column pairs that a vertical edge joins.
    """
    padded = np.pad(np.asarray(bitmap, bool), 1)
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    is_crossing = (a == d) & (b == c) & (a != b)
    y, x = np.nonzero((a ^ b ^ c ^ d) | is_crossing)
    times = 1 + is_crossing[y, x]
    # 0, and 1 for the second of two corners in one place.
    second = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    # Where the pixel to the upper right is set, left goes with down: the regions stay apart.
    is_turned = np.repeat(is_crossing[y, x] & b[y, x], times)
    y, x = np.repeat(y, times), np.repeat(x, times)
    along_row = _partners(np.lexsort((second, x, y)))
    along_column = _partners(np.lexsort((second ^ is_turned, y, x)))
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
    """Follow rows and columns in turn."""
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
    """Turn a ring so that the set pixels lie to the right of its first edge, y pointing down."""
    (x0, y), (x1, _) = ring[0].tolist(), ring[1].tolist()
    is_below = bool(padded[y + 1, min(x0, x1) + 1])
    return ring if is_below == (x0 < x1) else np.roll(ring[::-1], 1, axis=0)
