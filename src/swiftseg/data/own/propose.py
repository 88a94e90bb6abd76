"""From the values that masks hold to a description of the data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.own.dataset_file import DatasetFile
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.mask_rules import Encoding, distances, to_rgb
from swiftseg.data.own.survey import Kind, MaskTotals
from swiftseg.data.published.camvid import CAMVID_LABELS

TOLERANCE = 32  # JPEG at usual qualities stays within it; the colors of palettes are farther apart
MIN_DAMAGED_VALUES = 3
MIN_CENTER_SHARE = 2e-3
MAX_CLASSES = 255
# Parts of pixels that are near no main color, and that are none exactly. CamVid's masks as JPEGs
# of 160x120 and quality 15 to 90 have up to 0.11 and 0.52 of these, its photographs 0.77 and more.
MAX_IGNORED, MAX_DAMAGED = 0.25, 0.7
IGNORED = 255


@dataclass(frozen=True)
class Proposal:
    """What the masks were found to be.

    Attributes:
        file: The description, or None where the masks make no sense.
        findings: What is wrong or was assumed.
        snapped_share: The part of all pixels whose value is that of no class, but near one.
        ignored_share: The part that is near none, and ignored.
    """

    file: DatasetFile | None
    findings: tuple[Finding, ...]
    snapped_share: float = 0.0
    ignored_share: float = 0.0


def propose(totals: MaskTotals, *, is_camvid_tree: bool = False) -> Proposal:
    """Finds out what masks mean whose classes nobody has named."""
    findings: list[Finding] = []
    encoding, counts, solid = found_encoding(totals, findings)
    if not counts:
        return Proposal(None, tuple(findings))
    main, is_damaged = main_values(counts, solid, is_lossy=totals.lossy > 0, encoding=encoding)
    problem = _nonsense(counts, main, is_damaged=is_damaged, lossy=totals.lossy, encoding=encoding)
    if problem is not None:
        return Proposal(None, (*findings, problem))
    tolerance = TOLERANCE if is_damaged else 0
    snapped, ignored = snapped_shares(counts, main, tolerance, encoding)
    if is_damaged:
        findings.append(_damage(totals, snapped, ignored))
    if encoding == "rgb":
        file = _color_classes(main, tolerance)
    elif is_camvid_tree and not is_damaged and max(main) <= len(CAMVID_LABELS):
        file = _described(CAMVID_LABELS)
        message = (
            f"read as CamVid's {len(CAMVID_LABELS)} classes, as in its tree; other classes need a "
            "dataset.yaml that names them"
        )
        findings.append(Finding("note", "camvid_classes", message))
    else:
        file = _value_classes(main, tolerance, encoding, totals)
    return Proposal(file, tuple(findings), snapped, ignored)


def found_encoding(
    totals: MaskTotals, findings: list[Finding]
) -> tuple[Encoding, Counter[int], Counter[int]]:
    """Decides on an encoding; gives pixels by value in it, all and solid ones."""
    kinds = set(totals.files)
    if "rgb" in kinds or totals.palettes_differ:
        if totals.palettes_differ:
            message = "palettes differ between masks: one index means several colors; read by color"
            findings.append(Finding("warning", "palettes_differ", message))
        parts = [as_colors(totals, part) for part in (totals.counts, totals.solid)]
        if "rgb" in kinds and "gray" in kinds and _gray_is_index(totals):
            message = (
                f"{totals.files['rgb']} masks hold colors and {totals.files['gray']} hold one "
                "value a pixel; save all in one way"
            )
            findings.append(Finding("broken", "mixed_encodings", message))
            return "rgb", Counter(), Counter()
        return "rgb", parts[0], parts[1]
    encoding: Encoding = "palette" if kinds == {"palette"} else "index"
    counts = sum(totals.counts.values(), Counter[int]())
    return encoding, counts, sum(totals.solid.values(), Counter[int]())


def as_colors(totals: MaskTotals, counters: dict[Kind, Counter[int]]) -> Counter[int]:
    """Adds up pixels by color: gray values and palette indices as the color they show."""
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
    """Tells the values that are classes from those that blending or JPEG has made.

    Returns:
        The classes' values, sorted, and whether there are others.
    """
    in_blocks = [value for value in counts if solid[value]]
    num_fuzzy = len(counts) - len(in_blocks)
    if not is_lossy and num_fuzzy <= max(MIN_DAMAGED_VALUES, len(in_blocks)):
        return sorted(counts), False
    return sorted(centers_of(solid, encoding)), True


def centers_of(solid: Counter[int], encoding: Encoding) -> list[int]:
    """Groups values that are near each other; gives the most frequent of each group.

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
    """Gives the parts of all pixels that are near a main value, and near none."""
    codes = np.array(list(counts), np.uint32)
    pixels = np.array(list(counts.values()), np.int64)
    nearest = np.full(len(codes), 256, np.int16)
    for value in main:
        distance = distances(codes, value, in_color=encoding == "rgb")
        nearest = np.minimum(nearest, distance)
    total = max(int(pixels.sum()), 1)
    is_near = (nearest > 0) & (nearest <= tolerance)
    return float(pixels[is_near].sum() / total), float(pixels[nearest > tolerance].sum() / total)


def _gray_is_index(totals: MaskTotals) -> bool:
    """Tells whether gray masks beside color masks hold values that are no color there."""
    colors = totals.counts["rgb"]
    return any(value * 0x010101 not in colors for value in totals.counts["gray"] if value)


def _nonsense(
    counts: Counter[int], main: Sequence[int], *, is_damaged: bool, lossy: int, encoding: Encoding
) -> Finding | None:
    """Finds why the values cannot be classes, if they cannot."""
    if is_damaged and lossy and encoding != "rgb" and max(counts) <= 2 * TOLERANCE:
        message = (
            f"{lossy} masks were saved as JPEG, which changes class indices "
            f"({len(counts)} values up to {max(counts)}); save them as PNG from their source"
        )
        return Finding("broken", "lossy_index_masks", message, lossy)
    snapped, ignored = snapped_shares(counts, main, TOLERANCE if is_damaged else 0, encoding)
    is_photograph = ignored > MAX_IGNORED or snapped + ignored > MAX_DAMAGED
    if len(main) > MAX_CLASSES or not main or is_photograph:
        what = "colors" if encoding == "rgb" else "values"
        message = (
            f"the masks hold {len(counts)} {what} and no few that make up most of them; "
            "are these photographs? Expected one value or color a class"
        )
        return Finding("broken", "not_masks", message)
    if len(main) == 1 and len(counts) == 1:
        value = to_rgb(main[0]) if encoding == "rgb" else main[0]
        message = f"all masks hold the single value {value}: there is nothing to learn"
        return Finding("broken", "one_class", message)
    return None


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


def _color_classes(main: Sequence[int], tolerance: int) -> DatasetFile:
    colors = [to_rgb(code) for code in main]
    names = tuple("background" if not code else f"class_{i}" for i, code in enumerate(main))
    if all(red == green == blue for red, green, blue in colors):  # indices that look like colors
        mapping: dict[int | str, int | str] = {
            ",".join(map(str, color)): name for color, name in zip(colors, names, strict=True)
        }
        return DatasetFile(
            names=names, mask_encoding="rgb", label_mapping=mapping, tolerance=tolerance
        )
    return DatasetFile(names=names, palette=tuple(colors), mask_encoding="rgb", tolerance=tolerance)


def _value_classes(
    main: Sequence[int], tolerance: int, encoding: Encoding, totals: MaskTotals
) -> DatasetFile:
    if _is_binary(main, tolerance):
        names = ("background", "foreground")
        mapping: dict[int | str, int | str] | None = None
        if tolerance:  # the values as found; JPEG may have moved them
            mapping = {main[0]: names[0], main[1]: names[1]}
        return DatasetFile(
            names=names, mask_encoding="binary", label_mapping=mapping, tolerance=tolerance
        )
    classes = [value for value in main if value != IGNORED]
    if not tolerance and 2 * len(classes) > max(classes):
        names = tuple(f"class_{value}" for value in range(max(classes) + 1))
        palette = _palette_of(names, totals) if encoding == "palette" else None
        return DatasetFile(names=names, mask_encoding=encoding, palette=palette)
    names = tuple(f"class_{value}" for value in main)
    mapping = dict(zip(main, names, strict=True))
    return DatasetFile(
        names=names, mask_encoding=encoding, label_mapping=mapping, tolerance=tolerance
    )


def _is_binary(main: Sequence[int], tolerance: int) -> bool:
    return len(main) == 2 and main[0] <= tolerance and main[1] >= IGNORED - tolerance


def _palette_of(
    names: Iterable[str], totals: MaskTotals
) -> tuple[tuple[int, int, int], ...] | None:
    """Takes the classes' colors from the masks' palette where all of them occur."""
    if not all(value in totals.palette for value, _ in enumerate(names)):
        return None
    return tuple(to_rgb(min(totals.palette[value])) for value, _ in enumerate(names))


def _described(labels: LabelSet) -> DatasetFile:
    return DatasetFile(names=labels.names, palette=labels.palette, ignore_index=labels.ignore_index)
