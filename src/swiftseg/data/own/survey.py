"""What values masks hold, found out without knowing what they mean."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.in_threads import in_threads
from swiftseg.data.images.array_file import ARRAY_SUFFIXES
from swiftseg.data.images.header import read_header
from swiftseg.data.images.image_file import read_values
from swiftseg.data.own.mask_rules import is_colored, is_gray, read_colors, to_codes
from swiftseg.data.paired_files import Pair

Kind = Literal["gray", "palette", "rgb"]

JPEG_SLACK = 6
MAX_VALUES_A_MASK = 4096
MOSTLY = 0.95
MANY_OBJECTS = 5
DENSE, MIN_TOPS, MIN_TOP = 0.7, 4, 10  # of numbers with gaps, where objects are hidden or left out
PIECES = 1.15  # runs in a row of each value that is in it; classes lie here and there
PROBED_ROWS = 256
FRAMED = 0.9  # of the masks, and of the pixels at the edges of one
MAX_VALUES = 65536
MAX_COLOR_SETS = 1024
STRIP_PIXELS = 1 << 21  # counted at a time, as counting widens them


@dataclass(frozen=True)
class MaskFacts:
    """One mask's values.

    Attributes:
        kind: `gray` and `palette` files hold small values, `rgb` files 24-bit colors.
        lossy: JPEG changes values.
        size_hw: In pixels.
        values: uint32 (n,), distinct and by falling count; at most `MAX_VALUES_A_MASK`.
        counts: int64 (n,), pixels by value.
        solid: int64 (n,), of these the ones that begin a 2x2 block of one value, or in a JPEG of
            values that are close. Blended edges hardly have any.
        colors: Colors of the values of a palette, as 24-bit codes.
        has_channels: Whether the file has several channels; where they are equal, `kind` is gray.
        is_framed_brightly: Whether nearly all pixels at its edges are nearer to its highest value
            than to its lowest, which differ.
        is_of_pieces: Whether nearly each value but 0 is one piece, as objects are; None where there
            are few values, or colors.
    """

    kind: Kind
    lossy: bool
    size_hw: tuple[int, int]
    values: np.ndarray
    counts: np.ndarray
    solid: np.ndarray
    colors: dict[int, int]
    has_channels: bool = False
    is_framed_brightly: bool = False
    is_of_pieces: bool | None = None


@dataclass
class MaskTotals:
    """The values of many masks.

    Attributes:
        counts: Pixels by value, for each kind; bounded, the rarest are dropped.
        solid: Those in solid blocks.
        palette: Colors of each index that palette masks use, all that occur.
        lossy: How many masks are JPEGs.
        numbered: How many masks hold the values 1 to n beside 0, for each n; 0 for others that
            hold more than 0.
        has_both: Whether a mask holds both 1 and 255.
        one_channel: How many gray masks have one channel.
        masks_with: Masks by value, for each kind.
        color_sets: The colors of masks in color; of many masks not all.
        framed: How many masks hold several values, and of these how many are framed brightly.
        tops: How many masks hold so many values beside 0, and such a highest one; not all of many.
        pieces: How many masks hold many values, and in how many each of these is one piece.
    """

    files: Counter[Kind] = field(default_factory=Counter[Kind])
    counts: dict[Kind, Counter[int]] = field(default_factory=dict[Kind, Counter[int]])
    solid: dict[Kind, Counter[int]] = field(default_factory=dict[Kind, Counter[int]])
    palette: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    lossy: int = 0
    unreadable: int = 0
    numbered: Counter[int] = field(default_factory=Counter[int])
    has_both: bool = False
    one_channel: int = 0
    masks_with: dict[Kind, Counter[int]] = field(default_factory=dict[Kind, Counter[int]])
    color_sets: set[frozenset[int]] = field(default_factory=set[frozenset[int]])
    framed: tuple[int, int] = (0, 0)
    tops: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    pieces: tuple[int, int] = (0, 0)

    def add(self, facts: MaskFacts) -> None:
        self.files[facts.kind] += 1
        self.lossy += facts.lossy
        self.one_channel += facts.kind == "gray" and not facts.has_channels
        values = facts.values.tolist()
        framed, brightly = self.framed
        self.framed = framed + (len(values) > 1), brightly + facts.is_framed_brightly
        self.has_both |= {1, 255} <= set(values)
        self.masks_with.setdefault(facts.kind, Counter()).update(values)
        if facts.kind == "rgb" and len(self.color_sets) < MAX_COLOR_SETS:
            self.color_sets.add(frozenset(values))
        beside = [value for value in values if value]
        if beside:
            self.numbered[len(beside) if max(beside) == len(beside) else 0] += 1
            if len(self.tops) < MAX_COLOR_SETS:
                self.tops[len(beside), max(beside)] += 1
        if facts.is_of_pieces is not None:
            of_many, apart = self.pieces
            self.pieces = of_many + 1, apart + facts.is_of_pieces
        for totals, more in ((self.counts, facts.counts), (self.solid, facts.solid)):
            counter = totals.setdefault(facts.kind, Counter())
            counter.update(dict(zip(values, more.tolist(), strict=True)))
        if len(self.counts[facts.kind]) > 2 * MAX_VALUES:
            self._prune(facts.kind)
        for value, color in facts.colors.items():
            self.palette.setdefault(value, set()).add(color)

    def _prune(self, kind: Kind) -> None:
        kept = Counter(dict(self.counts[kind].most_common(MAX_VALUES)))
        self.counts[kind] = kept
        for totals in (self.solid, self.masks_with):
            totals[kind] = Counter({v: n for v, n in totals[kind].items() if v in kept})

    @property
    def are_binary_in_two_ways(self) -> bool:
        """Whether some masks are of 0 and 1, as 1-bit files are, and others of 0 and 255."""
        values = set[int]().union(*self.counts.values())
        return values == {0, 1, 255} and not self.has_both and "rgb" not in self.files

    @property
    def are_black_on_white(self) -> bool:
        """Whether masks of two values show dark things, since what surrounds these is bright."""
        framed, brightly = self.framed
        return framed > 0 and brightly >= FRAMED * framed

    @property
    def number_objects(self) -> bool:
        """Whether values count objects: every mask has 1 to n, and n differs as classes do not.

        Colors do where each mask has all those that masks of fewer colors have.
        """
        counts = [n for n in self.numbered if n]
        are_many = max(counts, default=0) >= MANY_OBJECTS and len(counts) > 2
        counted = (are_many and self.count_from_one) or (self._count_with_gaps and self.are_pieces)
        return counted or self._colors_number_objects

    @property
    def are_pieces(self) -> bool:
        """Whether values are one piece each, in most of the masks and nearly all of many values."""
        of_many, apart = self.pieces
        return apart >= MOSTLY * of_many and 2 * of_many > self.files.total()

    @property
    def _count_with_gaps(self) -> bool:
        """Whether nearly all masks hold most of the numbers up to their highest, which differ."""
        highest = [top for _, top in self.tops]
        dense = sum(count for (n, top), count in self.tops.items() if n + 1 >= DENSE * top)
        return (
            len(set(highest)) >= MIN_TOPS
            and max(highest) >= max(MIN_TOP, 2 * min(highest))
            and dense >= MOSTLY * self.tops.total()
        )

    @property
    def count_from_one(self) -> bool:
        """Whether nearly all masks hold 1 to n beside 0, as classes may do where all occur."""
        with_any = self.numbered.total() - self.numbered[0]
        return with_any > 0 and with_any >= MOSTLY * self.numbered.total()

    @property
    def _colors_number_objects(self) -> bool:
        ordered = sorted(self.color_sets, key=len)
        if len(ordered) <= MANY_OBJECTS or len(ordered[-1]) < 2 * len(ordered[0]):
            return False  # classes of which the rarest are missing here and there
        return all(less < more for less, more in pairwise(ordered))

    @property
    def counting_channel(self) -> str | None:
        """The channel that numbers an image's objects, where the others tell their class.

        Within a mask its values tell all colors apart; over all masks each class has many of them.
        """
        colors = frozenset[int]().union(*self.color_sets)
        most = max(map(len, self.color_sets), default=0)
        if most < MANY_OBJECTS or len(self.color_sets) < MANY_OBJECTS:
            return None
        for name, shift in (("red", 16), ("green", 8), ("blue", 0)):
            apart = [len({c >> shift & 255 for c in mask}) == len(mask) for mask in self.color_sets]
            num_classes = len({color & ~(255 << shift) for color in colors})
            is_shared = num_classes > 2 and len(colors) >= max(2 * num_classes, 4 * MANY_OBJECTS)
            if is_shared and sum(apart) >= MOSTLY * len(apart):
                return name
        return None

    def num_in_one_mask(self, values: Iterable[int]) -> int:
        """Return how many of some values occur in one mask alone."""
        masks = sum(self.masks_with.values(), Counter[int]())
        return sum(masks[value] == 1 for value in values)

    @property
    def palettes_differ(self) -> bool:
        """Whether one index means different colors in different files."""
        return any(len(colors) > 1 for colors in self.palette.values())


def survey_masks(pairs: Iterable[Pair], advance: Callable[[], None] = lambda: None) -> MaskTotals:
    """Count the values of all masks, of all parts of each; the unreadable ones are only counted."""
    totals = MaskTotals()
    for found in in_threads(_facts_of, pairs):
        for facts in found:
            if facts is None:
                totals.unreadable += 1
            else:
                totals.add(facts)
        advance()
    return totals


def survey_mask(path: Path) -> MaskFacts:
    """Count the values of one mask; raises SwiftsegError where it cannot be read."""
    header = None if path.suffix.lower() in ARRAY_SUFFIXES else read_header(path)
    palette: tuple[int, ...] = header.palette if header else ()
    is_lossy = header is not None and header.file_format == "JPEG"
    colors: dict[int, int] = {}
    has_channels = is_colored(path)
    if has_channels:
        pixels = read_colors(path)
        kind: Kind = "gray" if pixels.ndim == 2 or is_gray(pixels) else "rgb"
        array = pixels if pixels.ndim == 2 or kind == "rgb" else pixels[..., 0]
    else:
        kind = "palette" if header and header.mode == "P" else "gray"
        array = _indices(path)
    values, counts, solid = count_values(array, slack=JPEG_SLACK if is_lossy else 0)
    if kind == "palette":
        used: list[int] = values.tolist()
        colors = {value: palette[value] for value in used if value < len(palette)}
    size_hw = array.shape[:2]
    framed = _is_framed_brightly(array)
    is_many = kind != "rgb" and not is_lossy and np.count_nonzero(values) >= MANY_OBJECTS
    of_pieces = _is_of_pieces(array) if is_many else None
    return MaskFacts(
        kind, is_lossy, size_hw, values, counts, solid, colors, has_channels, framed, of_pieces
    )


def _is_of_pieces(values: np.ndarray) -> bool:
    """Whether nearly each value but 0 is one run in each of the rows that it is in."""
    num_runs = num_rows = 0
    for row in values[:: -(-len(values) // PROBED_ROWS)]:
        starts = np.flatnonzero(row[1:] != row[:-1]) + 1
        runs = row[np.concatenate(([0], starts))]
        runs = runs[runs != 0]
        num_runs += len(runs)
        num_rows += len(np.unique(runs))
    return num_runs <= PIECES * num_rows


def _is_framed_brightly(values: np.ndarray) -> bool:
    if values.ndim != 2 or not values.size:
        return False
    low, high = int(values.min()), int(values.max())
    edges = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    return low < high and float((edges > (low + high) / 2).mean()) >= FRAMED


def _indices(path: Path) -> np.ndarray:
    """Read whole numbers of 0 to 65535, (H, W)."""
    values = read_values(path)
    lowest, highest = values.min(initial=0), values.max(initial=0)
    if lowest < 0 or highest > MAX_VALUES:
        raise SwiftsegError(
            f"{path}: expected class indices of 0 to 65535, got values from {lowest} to {highest}"
        )
    return values


def count_values(pixels: np.ndarray, *, slack: int = 0) -> tuple[np.ndarray, ...]:
    """Count pixels in strips of rows: distinct values, their pixels, and those in solid blocks.

    Colors (H, W, 3) become 24-bit codes. A block is solid if its values differ by at most `slack`
    in every channel.
    """
    rows = max(1, STRIP_PIXELS // max(1, pixels.shape[1]))
    tops = range(0, max(1, pixels.shape[0]), rows)
    strips = [_count_strip(pixels[top : top + rows + 1], rows, slack) for top in tops]
    every = np.concatenate([values for values, _, _ in strips])
    values, where = np.unique(every, return_inverse=True)
    counts, solid = (
        np.bincount(where, np.concatenate(parts), minlength=len(values)).astype(np.int64)
        for parts in list(zip(*strips, strict=True))[1:]
    )
    order = np.argsort(-counts, kind="stable")[:MAX_VALUES_A_MASK]
    order = order[counts[order] > 0]
    return values[order].astype(np.uint32), counts[order], solid[order]


def _count_strip(pixels: np.ndarray, rows: int, slack: int) -> tuple[np.ndarray, ...]:
    """Count some rows; one more may follow, for the blocks that reach into it."""
    array = to_codes(pixels) if pixels.ndim == 3 else pixels
    own, corner = array[:rows], array[:-1, :-1]
    in_block = np.ones(corner.shape, bool)
    for other in (array[1:, :-1], array[:-1, 1:], array[1:, 1:]):
        in_block &= _are_close(corner, other, slack)
    if int(own.max(initial=0)) < 256:
        counts = np.bincount(own.ravel(), minlength=256)
        return np.arange(256), counts, np.bincount(corner[in_block], minlength=256)
    values, counts = np.unique(own, return_counts=True)
    found, in_solid = np.unique(corner[in_block], return_counts=True)
    solid = np.zeros_like(counts)
    solid[np.searchsorted(values, found)] = in_solid
    return values, counts, solid


def _are_close(one: np.ndarray, other: np.ndarray, slack: int) -> np.ndarray:
    if not slack:
        return one == other
    channels = ((one >> s & 255, other >> s & 255) for s in (16, 8, 0))
    differences = (np.abs(a.astype(np.int16) - b.astype(np.int16)) for a, b in channels)
    return np.maximum.reduce(list(differences)) <= slack


def _facts_of(pair: Pair) -> list[MaskFacts | None]:
    return [_facts_or_none(part.path) for part in pair.parts] or [_facts_or_none(pair.mask)]


def _facts_or_none(path: Path) -> MaskFacts | None:
    try:
        return survey_mask(path)
    except SwiftsegError:
        return None
