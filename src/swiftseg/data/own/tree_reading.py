"""What a tree of files is believed to be: which files are images, which are their masks."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.data.images.header import is_gray
from swiftseg.data.own.bands_apart import bands_apart_text, find_bands_apart
from swiftseg.data.own.families import Unit
from swiftseg.data.own.file_tree import FileTree
from swiftseg.data.own.finding import SHOWN_FILES, Finding, Severity
from swiftseg.data.own.folders import common_ending
from swiftseg.data.own.forms import Form, pattern_text, stem_texts
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.patterns import Match, Matched, Parts, Pattern, match_files
from swiftseg.data.own.words import SPLIT_WORDS
from swiftseg.data.paired_files import MaskPart, Pair

UNSPLIT = "all"
_FOLDERS_AT_END = re.compile(r"(\{folder\d*\}/)+(?=[^/]*$)")


@dataclass(frozen=True)
class LeftOver:
    """Files that a reading does not use.

    Attributes:
        reason: Why, such as `images without a mask`.
    """

    reason: str
    count: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """One reading of a tree.

    Attributes:
        parts: Whether an image has one mask, or one for each instance or class.
        splits: The pairs of each split; all are in `all` where there is none. Empty where this is
            not the reading that was asked for.
        left_over: The files that it does not use, by reason.
        score: How well it explains the files.
        has_gray_images: Whether the first image has one band.
    """

    images: tuple[str, ...]
    masks: tuple[str, ...]
    parts: Parts = "one"
    num_pairs: int = 0
    splits: dict[str, list[Pair]] = field(default_factory=dict[str, list[Pair]])
    left_over: tuple[LeftOver, ...] = ()
    findings: tuple[Finding, ...] = ()
    score: float = 0.0
    has_gray_images: bool = False

    @property
    def text(self) -> str:
        """The reading in one line."""
        left = sum(group.count for group in self.left_over)
        return (
            f"images: {', '.join(self.images)}, masks: {', '.join(self.masks)}, "
            f"{self.num_pairs} pairs, {left} files left over"
        )


def patterns_of(hypothesis: Hypothesis) -> tuple[list[str], list[str]]:
    """Write a hypothesis as the patterns of its images and of its masks."""
    pictures = [*(picture for picture, _ in hypothesis.pairs), *hypothesis.same]
    masks = [mask for _, of_picture in hypothesis.pairs for mask in of_picture]
    forms = hypothesis.picture_form, hypothesis.mask_form
    stems = stem_texts(*forms)
    spans = all(_is_plain(form) for form in forms)
    image_texts = pattern_text(
        hypothesis.pictures, forms[0], pictures, stems[0], spans=spans, partner=forms[1]
    )
    mask_texts = [
        text
        for stem in _mask_stems(hypothesis, stems[1])
        for text in pattern_text(
            hypothesis.masks,
            forms[1],
            masks,
            stem,
            spans=spans,
            partner=forms[0],
            class_place=hypothesis.class_place,
        )
    ]
    if any(member.tail for member in (*pictures, *masks)):  # one field for all folders at the end
        end = "" if spans else "{path}/"
        image_texts = [_FOLDERS_AT_END.sub(end, text) for text in image_texts]
        mask_texts = [_FOLDERS_AT_END.sub(end, text) for text in mask_texts]
    return image_texts, mask_texts


def _mask_stems(hypothesis: Hypothesis, stem: str | None) -> list[str | None]:
    """Write how the masks' stems end: one text, or one a class where folders name the classes."""
    if hypothesis.class_place == "stem":
        return ["{class}"]
    if stem is not None and hypothesis.counted:
        return [stem.removesuffix(hypothesis.mask_form.after) + _counted_text(hypothesis.counted)]
    if stem is not None and hypothesis.numbered is not None:
        return [stem, f"{stem}{hypothesis.numbered}{'*' if hypothesis.numbered else '{instance}'}"]
    if stem is None or not hypothesis.endings:
        return [stem]
    begin = stem.removesuffix(hypothesis.mask_form.after)
    if hypothesis.class_place in ("tail", "slots"):
        return [begin + ending for ending in hypothesis.endings]
    words = [ending[1:] for ending in hypothesis.endings]
    end = common_ending(words)
    words = [word.removesuffix(end) for word in words]
    first = common_ending([word[::-1] for word in words])[::-1]
    names = "|".join(word.removeprefix(first) for word in words)
    return [f"{begin}{hypothesis.endings[0][0]}{first}{{class:{names}}}{end}"]


def _counted_text(shape: str) -> str:
    """Write what stems end with that count: `_{instance}`, or `_{instance}_{instance2}`."""
    runs = iter(("", "2", *map(str, range(3, 10))))
    return re.sub(r"\\d\+", lambda _: f"{{instance{next(runs)}}}", shape)


def _is_plain(form: Form) -> bool:
    """Whether a key's field may take in the folders at the path's end."""
    return form.kind == "name" and not form.before and not form.inside and form.tail == "joined"


def read_by_patterns(
    tree: FileTree,
    images: Sequence[str],
    masks: Sequence[str],
    parts: Parts,
    *,
    score: float = 0.0,
    units: Sequence[Unit] = (),
) -> Reading:
    """Read a tree by patterns.

    Raises:
        SwiftsegError: A pattern is none, or images and masks have no field in common.
    """
    of_images, of_masks = [Pattern(text) for text in images], [Pattern(text) for text in masks]
    match = match_files(of_images, of_masks, tree.images)
    splits: defaultdict[str, list[Pair]] = defaultdict(list)
    for image, of_image in match.pairs:
        split = image.fields.get("split") or of_image[0].fields.get("split") or UNSPLIT
        splits[split].append(_pair(tree.root, image, of_image, parts))
    found = {split: sorted(pairs) for split, pairs in splits.items()}
    left_over = tuple(_left_over(match, tree, units))
    return Reading(
        images=tuple(images),
        masks=tuple(masks),
        parts=parts,
        num_pairs=len(match.pairs),
        splits=_in_order(found),
        left_over=left_over,
        findings=(
            *_findings(match, tree.root, parts),
            *_unused(left_over, tree.root),
            *_bands_apart(match, tree.root),
        ),
        score=score,
        has_gray_images=any(is_gray(tree.root / image.path) for image, _ in match.pairs[:1]),
    )


def _in_order(splits: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Order splits as train, val and test; a test alone is no split."""
    if len(splits) == 1:
        only = next(iter(splits))
        return splits if only in ("train", "val") else {UNSPLIT: splits[only]}
    return {split: splits[split] for split in (*SPLIT_WORDS, UNSPLIT) if split in splits}


def _pair(root: Path, image: Matched, masks: Sequence[Matched], parts: Parts) -> Pair:
    name = "/".join(text for field, text in image.fields.items() if field != "split")
    bands = tuple(root / path for path in image.bands)
    if parts == "one":
        return Pair(name, root / image.path, root / masks[0].path, bands=bands)
    ordered = sorted(masks, key=lambda matched: matched.path)
    of_mask = tuple(MaskPart(root / m.path, m.fields.get("class")) for m in ordered)
    return Pair(name, root / image.path, of_mask[0].path, of_mask, bands)


def _findings(match: Match, root: Path, parts: Parts) -> Iterable[Finding]:
    if match.same_key:
        one, other = match.same_key[0][:2]
        files = [str(root / m.path) for group in match.same_key for m in group[1:]]
        message = (
            f"{root / other.path}: {root / one.path} has the same name; one mask cannot be both's"
        )
        yield Finding("broken", "same_name", message, len(files), tuple(files[:SHOWN_FILES]))
    several = [masks for _, masks in match.pairs if len(masks) > 1]
    if several and parts == "one":
        one, other = several[0][:2]
        message = f"{root / other.path}: {root / one.path} is a mask of the same image"
        yield Finding("broken", "several_masks", message, len(several), (str(root / other.path),))
    for code, alone, other in (
        ("image_without_mask", match.images_alone, "mask"),
        ("mask_without_image", match.masks_alone, "image"),
    ):
        if alone:
            paths = sorted(str(root / matched.path) for matched in alone)
            message = f"{paths[0]}: no {other} belongs to it; {len(paths)} such files are left out"
            yield Finding("warning", code, message, len(paths), tuple(paths[:SHOWN_FILES]))
    if match.lacking_bands:
        paths = sorted(str(root / path) for path in match.lacking_bands)
        message = f"{paths[0]}: other bands of its picture are missing; {len(paths)} such files"
        yield Finding("warning", "lacking_bands", message, len(paths), tuple(paths[:SHOWN_FILES]))


def _unused(left_over: Sequence[LeftOver], root: Path) -> Iterable[Finding]:
    """Mention images and masks that the reading has no use for."""
    codes: dict[str, tuple[Severity, str]] = {
        "other images": ("warning", "unused_images"),
        "other masks": ("note", "unused_masks"),
    }
    for group in left_over:
        if group.reason in codes:
            severity, code = codes[group.reason]
            message = f"{root / group.files[0]}: not used; {group.count} {group.reason} are left"
            yield Finding(severity, code, message, group.count, group.files)


def _bands_apart(match: Match, root: Path) -> Iterable[Finding]:
    """Tell of images that are one band, where the others are not used."""
    used = {image.path for image, _ in match.pairs if not image.bands}
    apart = find_bands_apart((*used, *match.unmatched))
    of_images = [group for path in sorted(used) if len(group := apart.get(path, [])) > 1]
    if of_images and not used.issuperset(of_images[0]):
        files = tuple(str(root / path) for path in of_images[0])
        message = bands_apart_text(root, of_images[0])
        yield Finding("warning", "bands_apart", message, len(of_images), files)


def _left_over(match: Match, tree: FileTree, units: Sequence[Unit]) -> Iterable[LeftOver]:
    """Count the files that are not used, by reason."""
    role_of = {item.file.path: unit.roles for unit in units for item in unit.items}
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    reasons["images without a mask"] = [matched.path for matched in match.images_alone]
    reasons["masks without an image"] = [matched.path for matched in match.masks_alone]
    reasons["bands of images that lack others"] = match.lacking_bands
    reasons["images of the same name"] = [m.path for same in match.same_key for m in same]
    for path in match.unmatched:
        is_mask = "mask" in role_of.get(path, frozenset())
        reasons["other masks" if is_mask else "other images"].append(path)
    for reason, paths in reasons.items():
        if paths:
            yield LeftOver(reason, len(paths), tuple(sorted(paths)[:SHOWN_FILES]))
    for path in tree.linked_twice:
        yield LeftOver("links to folders that are read already", 1, (path,))
    counted: Counter[str] = tree.others + Counter(Path(path).suffix for path in tree.tables)
    for suffix, count in counted.most_common():
        yield LeftOver(f"{suffix} files", count, ())
