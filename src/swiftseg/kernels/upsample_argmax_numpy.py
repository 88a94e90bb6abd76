"""The kernel's labels from numpy, for installations without a C compiler.

Most cells between four neighboring scores hold one class that is above all others at every corner
and so everywhere between them. The others are evaluated, vectorized over the cells, for the classes
that are not below that one at every corner. Where too many are, all classes are evaluated, row by
row. Numpy cannot multiply and add in one rounding, as torch does; pixels where that might decide
are evaluated once more, in exact arithmetic.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from swiftseg.kernels.bilinear import Axis
from swiftseg.kernels.native import Strategy

# What rounding can undo between two corners' scores, and between two interpolated ones. A value is
# computed within 5 * 2^-24 of its largest corner; both bounds hold for two values, with room.
_CORNER_MARGIN = np.float32(2.0**-18)
_VALUE_MARGIN = np.float32(2.0**-19)
_UNDERFLOW = np.float32(1e-36)

_FINE_LIMIT = np.float32(1e38)  # below it nothing overflows on the way
_PIXELS_AT_ONCE = 1 << 16  # whose values stay in the cache
_VALUES_AT_ONCE = 1 << 19
_ROW_VALUES = 40_000  # of all classes, along a row, whose passes stay in the second-level cache

_SAMPLED_ROWS = 16  # of cells one is looked at first
_DENSE_SHARE = 0.25  # of the classes; evaluating row by row costs so much of what cells cost


def label_image(
    scores: np.ndarray,
    axes: tuple[Axis, Axis],
    labels: np.ndarray,
    *,
    strategy: Strategy = "cheaper",
) -> None:
    """Find the class of the largest interpolated score at every pixel.

    Args:
        scores: float32 (C, h, w).
        axes: How rows and columns are interpolated.
        labels: uint8 or uint16 (H, W); written.
        strategy: Whether cells are looked at before they are evaluated.
    """
    # Infinities and NaN fail the comparison.
    if not (np.abs(scores) <= _FINE_LIMIT).all():
        _label_exactly(scores, axes, labels)
        return
    rows, columns = axes
    # The last row and column have no neighbor; their own copies stand in, with the same result.
    scores = np.pad(scores, ((0, 0), (0, 1), (0, 1)), mode="edge")
    corners = _corners(scores)
    if strategy == "dense" or (strategy == "cheaper" and _is_mixed(corners)):
        _label_rows(scores, axes, labels)
        return
    highest, in_question = _compete_at_corners(corners)
    np.take(highest.astype(labels.dtype)[:, columns.reads[0]], rows.reads[0], axis=0, out=labels)
    blocks = _mixed_blocks(in_question.sum(axis=0) > 1, axes)
    size = blocks.row_length * blocks.column_length
    for at in range(0, len(blocks.top), max(1, _PIXELS_AT_ONCE // size)):
        part = slice(at, at + max(1, _PIXELS_AT_ONCE // size))
        _label_blocks(scores, in_question, axes, blocks[part], labels)


def _is_mixed(corners: tuple[np.ndarray, ...]) -> bool:
    """Whether so many classes are in question that it is cheaper to evaluate all."""
    _, in_question = _compete_at_corners(tuple(corner[:, ::_SAMPLED_ROWS] for corner in corners))
    counts = in_question.sum(axis=0)
    return bool(counts[counts > 1].sum() > _DENSE_SHARE * in_question.size)


def _corners(scores: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the scores (C, h, w) at the corners of every cell, of scores (C, h + 1, w + 1)."""
    return scores[:, :-1, :-1], scores[:, :-1, 1:], scores[:, 1:, :-1], scores[:, 1:, 1:]


def _compete_at_corners(corners: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's highest class (h, w), and which are in question there, bool (C, h, w)."""
    a, b, c, d = corners
    highest = (a + b + c + d).argmax(axis=0)
    below = np.ones(a.shape, dtype=bool)
    for corner in corners:
        own = np.take_along_axis(corner, highest[None], axis=0)
        below &= corner <= own - (np.abs(own) * _CORNER_MARGIN + _UNDERFLOW)
    in_question = ~below
    _drop_equals(corners, highest, in_question)
    return highest, in_question


def _drop_equals(
    corners: tuple[np.ndarray, ...], highest: np.ndarray, in_question: np.ndarray
) -> None:
    """Take out classes behind the highest that reach it at best: the first of equals wins."""
    row, column = (in_question.sum(axis=0) > 1).nonzero()
    own = highest[row, column]
    reached = np.arange(len(in_question))[:, None] > own
    for corner in corners:
        reached &= corner[:, row, column] <= corner[own, row, column]
    in_question[:, row, column] &= ~reached


@dataclass(frozen=True)
class _Blocks:
    """Blocks of pixels of one size, each within one cell.

    Attributes:
        top, left: Each block's first row and column of pixels, (B,).
        row_length, column_length: Their height and width. Blocks at the end of a run of pixels
            that is no multiple repeat its last one.
        cell_row, cell_column: Each block's cell, (B,).
        row_end, column_end: Where its cell's pixels end, (B,).
    """

    top: np.ndarray
    left: np.ndarray
    row_length: int
    column_length: int
    cell_row: np.ndarray
    cell_column: np.ndarray
    row_end: np.ndarray
    column_end: np.ndarray

    def __getitem__(self, part: slice | np.ndarray) -> "_Blocks":
        arrays = {name: v for name, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, **{name: array[part] for name, array in arrays.items()})

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows (B, row_length) and columns (B, column_length) of their pixels."""
        rows = self.top[:, None] + np.arange(self.row_length)
        columns = self.left[:, None] + np.arange(self.column_length)
        return (
            np.minimum(rows, self.row_end[:, None] - 1),
            np.minimum(columns, self.column_end[:, None] - 1),
        )


def _mixed_blocks(mixed: np.ndarray, axes: tuple[Axis, Axis]) -> _Blocks:
    """Cut the pixels of cells (h, w) that are mixed into blocks."""
    (top, row_end, row_length), (left, column_end, column_length) = map(_cut, axes, mixed.shape)
    cell_row, cell_column = axes[0].reads[0][top], axes[1].reads[0][left]
    row, column = mixed[np.ix_(cell_row, cell_column)].nonzero()
    return _Blocks(
        top[row],
        left[column],
        row_length,
        column_length,
        cell_row[row],
        cell_column[column],
        row_end[row],
        column_end[column],
    )


def _cut(axis: Axis, in_size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Cut an axis where it reads elsewhere, and after as many elements as one input has.

    Returns:
        Start of each piece, end of the run it belongs to, and the longest piece's length.
    """
    first = axis.reads[0]
    length = -(-len(first) // in_size)
    starts = np.flatnonzero(np.diff(first, prepend=-1))
    ends = np.append(starts[1:], len(first))
    pieces = -(-(ends - starts) // length)
    order = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.repeat(starts, pieces) + order * length, np.repeat(ends, pieces), length


def _label_blocks(
    scores: np.ndarray,
    in_question: np.ndarray,
    axes: tuple[Axis, Axis],
    blocks: _Blocks,
    labels: np.ndarray,
) -> None:
    asked = in_question[:, blocks.cell_row, blocks.cell_column]  # (C, B)
    order = np.argsort(-asked.sum(axis=0), kind="stable")  # those with most classes first
    blocks, asked = blocks[order], asked[:, order]
    counts = asked.sum(axis=0)
    classes = asked.T.nonzero()[1]  # block by block, ascending
    offsets = np.cumsum(counts) - counts
    rows, columns = blocks.pixels()
    best = second = found = largest = np.empty(0)
    for rank in range(int(counts[0])):
        active = int((counts > rank).sum())
        chosen = classes[offsets[:active] + rank]
        cells = chosen, blocks.cell_row[:active], blocks.cell_column[:active]
        corners = np.stack([corner[cells] for corner in _corners(scores)])
        values = _interpolate(corners, axes, rows[:active], columns[:active])
        own = chosen.astype(labels.dtype)[:, None, None]
        if rank == 0:
            best, second = values, np.full_like(values, -np.inf)
            found, largest = np.tile(own, values.shape[1:]), np.abs(corners).max(axis=0)
            continue
        highest = best[:active]
        np.copyto(found[:active], own, where=values > highest)
        np.maximum(second[:active], np.minimum(highest, values), out=second[:active])
        np.maximum(highest, values, out=highest)
        np.maximum(largest[:active], np.abs(corners).max(axis=0), out=largest[:active])
    margin = (largest * _VALUE_MARGIN + _UNDERFLOW)[:, None, None]
    labels[rows[:, :, None], columns[:, None, :]] = found
    close = np.flatnonzero(np.subtract(best, second, out=best) <= margin)
    block, row, column = np.unravel_index(close, best.shape)
    _decide(scores, axes, rows[block, row], columns[block, column], labels)


def _interpolate(
    corners: np.ndarray, axes: tuple[Axis, Axis], rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return values (B, row_length, column_length), within _VALUE_MARGIN, of corners (4, B)."""
    a, b, c, d = corners[:, :, None]
    left, right = (weights[columns] for weights in axes[1].weights)
    upper, lower = (weights[rows][:, :, None] for weights in axes[0].weights)
    above, below = a * left + b * right, c * left + d * right
    values = above[:, None] * upper
    values += below[:, None] * lower
    return values


# ---- row by row ----


def _label_rows(scores: np.ndarray, axes: tuple[Axis, Axis], labels: np.ndarray) -> None:
    """Label all pixels by evaluating all classes; no score is above _FINE_LIMIT."""
    rows, columns = axes
    # A step between two rows of scores rounds twice as much as what cells are made of.
    margin = 2 * np.abs(scores).max() * _VALUE_MARGIN + _UNDERFLOW
    height, width = labels.shape
    tile = max(256, _ROW_VALUES // len(scores))
    tiles = [slice(at, min(at + tile, width)) for at in range(0, width, tile)]
    starts = np.flatnonzero(np.diff(rows.reads[0], prepend=-1) | np.diff(rows.reads[1], prepend=-1))
    runs = [slice(*ends) for ends in pairwise([*starts.tolist(), height])]
    close: list[tuple[np.ndarray, np.ndarray]] = []  # rows and columns to decide
    for part in tiles:
        line = _Line(scores, columns, part, labels.dtype)
        for run in runs:
            line.move_to(int(rows.reads[0][run.start]), int(rows.reads[1][run.start]))
            for y in range(run.start, run.stop):
                if not line.label(rows.weights[1][y], margin, labels[y, part]):
                    places = part.start + line.close()
                    close.append((np.full_like(places, y), places))
    if close:
        y, x = (np.concatenate(all_) for all_ in zip(*close, strict=True))
        _decide(scores, axes, y, x, labels)


class _Line:
    """A stretch of one row of pixels, whose memory is used again for the next row."""

    def __init__(self, scores: np.ndarray, columns: Axis, part: slice, dtype: np.dtype) -> None:
        self._scores = scores
        self._reads = tuple(reads[part] for reads in columns.reads)
        self._weights = tuple(weights[part] for weights in columns.weights)
        shape = len(scores), len(self._reads[0])
        self._spread: dict[int, np.ndarray] = {}  # by row of scores
        self._upper = self._step = np.empty(0, np.float32)
        self._values = np.empty(shape, np.float32)
        self._near = np.empty(shape, dtype=bool)
        self._marks = np.empty(shape, dtype)
        self._classes = np.arange(len(scores), dtype=dtype)[:, None]
        self._best = np.empty(shape[1], np.float32)

    def move_to(self, upper: int, lower: int) -> None:
        """Go between two rows of scores."""
        self._spread = {
            row: self._spread[row] if row in self._spread else self._along(row)
            for row in (upper, lower)
        }
        self._upper = self._spread[upper]
        self._step = self._spread[lower] - self._upper

    def label(self, weight: np.float32, margin: np.float32, labels: np.ndarray) -> bool:
        """Label a row of pixels by the lower row's weight; return whether all are certain."""
        np.multiply(self._step, weight, out=self._values)
        np.add(self._values, self._upper, out=self._values)
        np.maximum.reduce(self._values, axis=0, out=self._best)
        np.subtract(self._best, margin, out=self._best)
        np.greater_equal(self._values, self._best, out=self._near)
        np.multiply(self._near.view(np.uint8), self._classes, out=self._marks)
        np.add.reduce(self._marks, axis=0, dtype=labels.dtype, out=labels)
        return np.count_nonzero(self._near) == len(labels)

    def close(self) -> np.ndarray:
        """Return the places along the row labeled last where more than one class is near."""
        return np.flatnonzero(self._near.sum(axis=0) != 1)

    def _along(self, row: int) -> np.ndarray:
        scores = self._scores[:, row]
        first, second = (scores.take(reads, axis=1) for reads in self._reads)
        first *= self._weights[0]
        second *= self._weights[1]
        first += second
        return first


# ---- exact ----


def _decide(
    scores: np.ndarray,
    axes: tuple[Axis, Axis],
    rows: np.ndarray,
    columns: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Label single pixels (P,) by exact arithmetic over all classes."""
    for part in _parts(len(rows), len(scores)):
        y, x = rows[part], columns[part]
        labels[y, x] = _exact_labels(scores, axes, y, x)


def _label_exactly(scores: np.ndarray, axes: tuple[Axis, Axis], labels: np.ndarray) -> None:
    """Label all pixels by exact arithmetic; a NaN is above all, as in torch."""
    height, width = labels.shape
    with np.errstate(all="ignore"):
        for part in _parts(height, len(scores) * width):
            rows = np.arange(height)[part, None]
            labels[part] = _exact_labels(scores, axes, rows, np.arange(width))


def _parts(length: int, values: int) -> Iterator[slice]:
    size = max(1, _VALUES_AT_ONCE // values)
    return (slice(at, at + size) for at in range(0, length, size))


def _exact_labels(
    scores: np.ndarray, axes: tuple[Axis, Axis], rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the classes of pixels; `rows` and `columns` are broadcast against each other."""
    (upper, lower), (left, right) = (axis.reads for axis in axes)
    left_weight, right_weight = (weights[columns] for weights in axes[1].weights)
    upper_weight, lower_weight = (weights[rows] for weights in axes[0].weights)

    def along(row: np.ndarray) -> np.ndarray:
        first, second = scores[:, row, left[columns]], scores[:, row, right[columns]]
        return fused_multiply_add(first, left_weight, second * right_weight)

    above, below = along(upper[rows]), along(lower[rows])
    return fused_multiply_add(above, upper_weight, below * lower_weight).argmax(axis=0)


def fused_multiply_add(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return a * b + c, float32, rounded once.

    Double precision holds the product exactly. The sum is rounded to odd there (Boldo and
    Melquiond, 2008), so that rounding it to float32 gives what one rounding of it all gives.
    """
    product = a.astype(np.float64) * b.astype(np.float64)
    term = c.astype(np.float64)
    total = np.asarray(product + term)
    part = total - product  # Knuth's exact error of a sum
    error = (product - (total - part)) + (term - part)
    bits = total.view(np.int64)
    change = (bits & 1 == 0) & (error != 0) & np.isfinite(total)
    outward = (error > 0) == (total > 0)
    odd = bits + np.where(change, np.where(outward, 1, -1), 0)
    return odd.view(np.float64).astype(np.float32)
