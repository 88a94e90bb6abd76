"""From the values that masks hold to a description of the data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from swiftseg.data.own.dataset_file import DatasetFile
from swiftseg.data.own.describe import (
    are_black,
    are_united_values,
    binary_names,
    describe_colors,
    describe_parts,
    describe_values,
    order_of_two,
    part_names,
    shown_by_parts,
)
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.mask_rules import Encoding, distances, to_rgb
from swiftseg.data.own.naming import Hints, name_colors
from swiftseg.data.own.patterns import Parts
from swiftseg.data.own.survey import Kind, MaskTotals

TOLERANCE = 32  # JPEG at usual qualities stays within it; the colors of palettes are farther apart
MIN_DAMAGED_VALUES = 3
MIN_CENTER_SHARE = 2e-3
MIN_PEAKS_SHARE = 0.9  # of the pixels in solid blocks, for two peaks to be a binary mask
MAX_CLASSES = 255
MOST_COLORS = 0.8  # of all that occur in one mask each
MANY_PIECES = 16  # classes, from which on it is doubted that values of one piece are classes
MIN_MASKS, MANY_CLASSES = 8, 32  # from which on values that one mask alone has are doubted
# Parts of pixels that are near no main color, and that are none exactly. CamVid's masks as JPEGs
# of 160x120 and quality 15 to 90 have up to 0.11 and 0.52 of these, its photographs 0.77 and more.
MAX_IGNORED, MAX_DAMAGED = 0.25, 0.7
# Of the pixels in solid blocks beside the most frequent color, those this near a main color: masks
# as JPEGs of quality 15 to 90 have 0.85 and more of them, photographs that are cut out up to 0.5.
FLAT_WITHIN, MIN_FLAT = 8, 0.65


@dataclass(frozen=True)
class Proposal:
    """What the masks were found to be.

    Attributes:
        file: The description, or None where the masks make no sense.
        snapped_share: The part of all pixels whose value is that of no class, but near one.
        ignored_share: The part that is near none, and ignored.
    """

    file: DatasetFile | None
    findings: tuple[Finding, ...]
    snapped_share: float = 0.0
    ignored_share: float = 0.0


def propose(totals: MaskTotals, hints: Hints | None = None, parts: Parts = "one") -> Proposal:
    """Find out what masks mean whose classes nobody has named."""
    hints = hints or Hints()
    proposal = _proposed(totals, hints, parts)
    return replace(proposal, findings=(*proposal.findings, *_unused_lists(proposal.file, hints)))


def _unused_lists(file: DatasetFile | None, hints: Hints) -> Iterable[Finding]:
    """Tell of files that list names which the classes were not given."""
    names = file.names if file else ()
    unused = [table for table in hints.tables if not set(table.names) & set(names)]
    if file is not None and unused:
        source, listed = unused[0].source, ", ".join(unused[0].names[:3])
        message = (
            f"{source}: lists {len(unused[0].names)} names ({listed}), and nothing says which of "
            "the masks' values they are; not used as names of classes"
        )
        yield Finding("note", "unused_names", message, len(unused))


def _proposed(totals: MaskTotals, hints: Hints, parts: Parts) -> Proposal:
    """Find out what masks mean, by the names that a folder tells."""
    findings: list[Finding] = []
    encoding, counts, solid = found_encoding(totals, findings)
    if not counts:
        return Proposal(None, tuple(findings))
    if totals.are_binary_in_two_ways:
        names = part_names(hints, parts) or binary_names(hints)
        return Proposal(_binary(names, (0, 1, 255)), tuple(findings))
    soft = soft_binary(counts, solid) if encoding == "index" else None
    if soft is not None:
        return _with_threshold(soft, counts, totals, hints, parts)
    main, is_damaged = main_values(counts, solid, is_lossy=totals.lossy > 0, encoding=encoding)
    problem = _nonsense(counts, main, is_damaged=is_damaged, lossy=totals.lossy, encoding=encoding)
    if problem is None and is_damaged and varies_within(solid, main, encoding):
        problem = _photographs(counts, encoding)
    if problem is None and encoding == "rgb" and parts == "one":
        problem = _object_colors(main, totals, hints)
    if problem is not None:
        return Proposal(None, (*findings, problem))
    tolerance = TOLERANCE if is_damaged else 0
    snapped, ignored = snapped_shares(counts, main, tolerance, encoding)
    if is_damaged:
        findings.append(_damage(totals, snapped, ignored))
    if parts != "one" and not are_united_values(main, parts):
        shown = shown_by_parts(main, counts)
        file, more = describe_parts(shown, tolerance, encoding, hints, parts)
    elif encoding == "rgb":
        file, more = describe_colors(main, tolerance, totals, hints)
    else:
        file, more = describe_values(main, tolerance, encoding, totals, hints)
    if totals.files.total() >= MIN_MASKS and len(main) >= MANY_CLASSES:
        more = (*more, *_rare_values(main, totals))
    if file is not None and len(file.names) >= MANY_PIECES and encoding != "rgb":
        more = (*more, *_pieces(main, totals))
    if hints.says_soft and encoding == "index" and len(main) > 2:
        more = (*more, _soft(main))
    more = (*more, *(_of_thousands(main) if encoding == "index" else ()))
    return Proposal(file, (*findings, *more), snapped, ignored)


def _rare_values(main: Sequence[int], totals: MaskTotals) -> list[Finding]:
    """Doubt that so many values are classes where most of them occur in one mask alone."""
    rare = totals.num_in_one_mask(main)
    if 2 * rare <= len(main):
        return []
    message = (
        f"{rare} of the {len(main)} values or colors occur in one mask alone; they are read as "
        "classes. Where they number objects, masks of classes are needed"
    )
    return [Finding("warning", "rare_values", message, rare)]


def _pieces(main: Sequence[int], totals: MaskTotals) -> list[Finding]:
    """Doubt that so many values are classes where each is one piece in the masks that have it."""
    if not totals.are_pieces:
        return []
    message = (
        f"the {len(main)} values are one piece each in the masks, as numbered objects are; they "
        "are read as classes. Where they number objects, masks of classes are needed"
    )
    return [Finding("warning", "numbered_objects", message, len(main))]


def _soft(main: Sequence[int]) -> Finding:
    """Doubt that levels are classes where the masks' names call them soft."""
    message = (
        f"the masks' names say that their {len(main)} values are shares, as of raters who agree, "
        "and no classes. Where it is so, give label_mapping and names of two in dataset.yaml"
    )
    return Finding("warning", "soft_values", message, len(main))


def _of_thousands(main: Sequence[int]) -> list[Finding]:
    """Doubt values such as 1002 and 1005: a class times 1000 and the number of an object of it."""
    thousands = Counter(value // 1000 for value in main if value >= 1000)
    if max(thousands.values(), default=0) < 2:
        return []
    message = (
        f"values up to {max(main)} may be a class times 1000 and an object's number, as in maps of "
        "instances; they are read as classes. Where they number objects, give masks of classes"
    )
    return [Finding("warning", "numbered_objects", message)]


def _object_colors(main: Sequence[int], totals: MaskTotals, hints: Hints) -> Finding | None:
    """Find that colors are numbers of objects: in one channel, or all three as one number."""
    if name_colors([to_rgb(code) for code in main], hints.tables) is not None:
        return None
    channel = totals.counting_channel
    if channel is not None:
        message = (
            f"the masks' {channel} channel numbers the objects of each image, as in the full "
            "ADE20K, whose 3,688 classes (red // 10 * 256 + green) exceed 255; write masks of one "
            "channel with up to 255 classes, or take ADEChallengeData2016 with its 150"
        )
        return Finding("broken", "object_colors", message)
    alone = totals.num_in_one_mask(main)
    are_few = totals.files.total() < MIN_MASKS or len(main) < MANY_CLASSES
    if are_few or alone < MOST_COLORS * len(main):
        return None
    message = (
        f"{alone} of the {len(main)} colors occur in one mask alone, so they number objects, as in "
        "COCO's panoptic masks; put the JSON file that tells each object's class beside their "
        "folder and name it as the folder, or write masks of classes"
    )
    return Finding("broken", "object_colors", message, alone)


def _binary(names: tuple[str, ...], values: Sequence[int]) -> DatasetFile:
    """Describe masks where every value but 0 shows the one class."""
    mapping: dict[int | str, int | str] = {value: names[value > 0] for value in values}
    return DatasetFile(names=names, mask_encoding="binary", label_mapping=mapping)


def soft_binary(counts: Counter[int], solid: Counter[int]) -> tuple[int, int] | None:
    """Return the two peaks of masks whose edges are blurred or blended, so that many values occur.

    None where there are few values, or where two of them do not make up most of the pixels.
    """
    if len(counts) <= 2 + MIN_DAMAGED_VALUES or max(counts) > 255:
        return None
    ordered = [value for value, _ in solid.most_common()]
    if not ordered:
        return None
    one = ordered[0]
    far = [value for value in ordered if abs(value - one) > 2 * TOLERANCE]
    if not far:
        return None
    low, high = sorted((one, far[0]))
    # What blending makes lies between; class indices and a void of 255 have nothing there.
    if sum(low + TOLERANCE < value < high for value in counts) < MIN_DAMAGED_VALUES:
        return None
    near = sum(n for value, n in solid.items() if min(abs(value - low), abs(value - high)) <= 12)
    if near < MIN_PEAKS_SHARE * solid.total() or high - low < 4 * TOLERANCE:
        return None
    return low, high


def _with_threshold(
    peaks: tuple[int, int],
    counts: Counter[int],
    totals: MaskTotals,
    hints: Hints,
    parts: Parts,
) -> Proposal:
    """Describe masks of two peaks: every value counts as the nearer one."""
    snapped = sum(n for value, n in counts.items() if value not in peaks) / counts.total()
    cause = f"{totals.lossy} masks were saved as JPEG" if totals.lossy else "masks have soft edges"
    message = (
        f"{cause}: {len(counts)} values with peaks at {peaks[0]} and {peaks[1]}; {snapped:.2%} of "
        f"the pixels are neither and count as the nearer one (the threshold is {sum(peaks) / 2:g})"
    )
    code = "lossy_masks" if totals.lossy else "blended_masks"
    nothing, thing, findings = order_of_two(peaks, totals, hints)
    if parts != "one":
        nothing, thing = peaks[::-1] if are_black(peaks, counts) else peaks
    names = part_names(hints, parts) or binary_names(hints)
    file = DatasetFile(
        names=names,
        mask_encoding="binary",
        label_mapping={nothing: names[0], thing: names[1]},
        tolerance=max(255 - peaks[1], peaks[0], -(-(peaks[1] - peaks[0]) // 2)),
    )
    return Proposal(file, (Finding("warning", code, message), *findings), snapped)


def found_encoding(
    totals: MaskTotals, findings: list[Finding]
) -> tuple[Encoding, Counter[int], Counter[int]]:
    """Decide on an encoding; gives pixels by value in it, all and solid ones."""
    kinds = set(totals.files)
    is_shown = {"gray", "palette"} <= kinds and _palette_shows_grays(totals)
    if "rgb" in kinds or totals.palettes_differ or is_shown:
        if totals.palettes_differ:
            message = "palettes differ between masks: one index means several colors; read by color"
            findings.append(Finding("warning", "palettes_differ", message))
        parts = [as_colors(totals, part) for part in (totals.counts, totals.solid)]
        if "rgb" in kinds and "gray" in kinds and _gray_is_index(totals):
            message = (
                f"{totals.files['rgb']} masks hold colors and {totals.files['gray']} hold one "
                "value per pixel; save all masks in the same way"
            )
            findings.append(Finding("broken", "mixed_encodings", message))
            return "rgb", Counter(), Counter()
        return "rgb", parts[0], parts[1]
    encoding: Encoding = "palette" if kinds == {"palette"} else "index"
    counts = sum(totals.counts.values(), Counter[int]())
    return encoding, counts, sum(totals.solid.values(), Counter[int]())


def as_colors(totals: MaskTotals, counters: dict[Kind, Counter[int]]) -> Counter[int]:
    """Add up pixels by color: gray values and palette indices as the color they show."""
    colors: Counter[int] = Counter(counters.get("rgb", Counter()))
    for value, count in counters.get("gray", Counter()).items():
        colors[value * 0x010101] += count
    for value, count in counters.get("palette", Counter()).items():
        shown = totals.palette.get(value, {0})
        for color in shown:  # where they differ nobody knows how many each; all are kept
            colors[color] += count // len(shown)
    return colors


def main_values(
    counts: Counter[int], solid: Counter[int], *, is_lossy: bool, encoding: Encoding
) -> tuple[list[int], bool]:
    """Tell the values that are classes from those that blending or JPEG has made.

    Returns:
        The classes' values, sorted, and whether there are others.
    """
    in_blocks = [value for value in counts if solid[value]]
    num_fuzzy = len(counts) - len(in_blocks)
    if not is_lossy and num_fuzzy <= max(MIN_DAMAGED_VALUES, len(in_blocks)):
        return sorted(counts), False
    return sorted(centers_of(solid, encoding)), True


def centers_of(solid: Counter[int], encoding: Encoding) -> list[int]:
    """Group values that are near each other; gives the most frequent of each group.

    Groups of next to no pixels are left out: blends that happen to fill a block.
    """
    ordered = [(value, pixels) for value, pixels in solid.most_common() if pixels]
    values = np.array([value for value, _ in ordered], np.uint32)
    pixels = np.array([pixels for _, pixels in ordered], np.int64)
    least = MIN_CENTER_SHARE * pixels.sum()
    centers: list[int] = []
    while len(values) and len(centers) <= MAX_CLASSES:
        is_near = distances(values, int(values[0]), in_color=encoding == "rgb") <= TOLERANCE
        if pixels[is_near].sum() >= least:
            centers.append(int(values[0]))
        values, pixels = values[~is_near], pixels[~is_near]
    return centers


def snapped_shares(
    counts: Counter[int], main: Sequence[int], tolerance: int, encoding: Encoding
) -> tuple[float, float]:
    """Return the parts of all pixels that are near a main value, and near none."""
    codes = np.array(list(counts), np.uint32)
    pixels = np.array(list(counts.values()), np.int64)
    nearest = np.full(len(codes), 256, np.int16)
    for value in main:
        distance = distances(codes, value, in_color=encoding == "rgb")
        nearest = np.minimum(nearest, distance)
    total = max(int(pixels.sum()), 1)
    is_near = (nearest > 0) & (nearest <= tolerance)
    return float(pixels[is_near].sum() / total), float(pixels[nearest > tolerance].sum() / total)


def _palette_shows_grays(totals: MaskTotals) -> bool:
    """Whether palettes give their indices other gray levels: masks that gray ones are beside."""
    shown = [(index, to_rgb(min(colors))) for index, colors in totals.palette.items()]
    return any(len(set(color)) == 1 and color[0] != index for index, color in shown)


def _gray_is_index(totals: MaskTotals) -> bool:
    """Tell whether gray masks beside color masks hold values that are no color there."""
    colors = totals.counts["rgb"]
    return totals.one_channel > 0 and any(
        value * 0x010101 not in colors for value in totals.counts["gray"] if value
    )


def _nonsense(
    counts: Counter[int], main: Sequence[int], *, is_damaged: bool, lossy: int, encoding: Encoding
) -> Finding | None:
    """Find why the values cannot be classes, if they cannot."""
    if is_damaged and lossy and encoding != "rgb" and max(counts) <= 2 * TOLERANCE:
        message = (
            f"{lossy} masks were saved as JPEG, which changes class indices "
            f"({len(counts)} values up to {max(counts)}); save them as PNG from their source"
        )
        return Finding("broken", "lossy_index_masks", message, lossy)
    snapped, ignored = snapped_shares(counts, main, TOLERANCE if is_damaged else 0, encoding)
    is_photograph = ignored > MAX_IGNORED or snapped + ignored > MAX_DAMAGED
    if len(main) > MAX_CLASSES or not main or is_photograph:
        return _photographs(counts, encoding)
    if len(main) == 1:
        value = to_rgb(main[0]) if encoding == "rgb" else main[0]
        message = f"all masks hold the single value {value}: there is nothing to learn"
        return Finding("broken", "one_class", message)
    return None


def _photographs(counts: Counter[int], encoding: Encoding) -> Finding:
    what = "colors" if encoding == "rgb" else "values"
    message = (
        f"the masks hold {len(counts)} {what} and no few that make up most of them; "
        "are these photographs? Expected one value or color per class"
    )
    return Finding("broken", "not_masks", message)


def varies_within(solid: Counter[int], main: Sequence[int], encoding: Encoding) -> bool:
    """Whether values differ within what is near a main one, as in photographs that are cut out.

    The most frequent value is left aside, as it may be the background of such a photograph.
    """
    codes = np.array([value for value, pixels in solid.items() if pixels], np.uint32)
    pixels = np.array([pixels for pixels in solid.values() if pixels], np.int64)
    apart = np.stack([distances(codes, value, in_color=encoding == "rgb") for value in main])
    most = int(np.argmax([solid[value] for value in main]))
    is_inside = np.argmin(apart, axis=0) != most
    is_flat = is_inside & (apart.min(axis=0) <= FLAT_WITHIN)
    return bool(pixels[is_flat].sum() < MIN_FLAT * pixels[is_inside].sum())


def _damage(totals: MaskTotals, snapped: float, ignored: float) -> Finding:
    code = "lossy_masks" if totals.lossy else "blended_masks"
    cause = (
        f"{totals.lossy} masks were saved as JPEG"
        if totals.lossy
        else "masks have blended (anti-aliased) edges"
    )
    message = (
        f"{cause}: {snapped:.2%} of the pixels are snapped to a class within {TOLERANCE}, "
        f"{ignored:.2%} are near none and ignored; better save masks as PNG, resized by nearest "
        "neighbor"
    )
    return Finding("warning", code, message)
