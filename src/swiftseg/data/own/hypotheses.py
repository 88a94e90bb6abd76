"""Hypotheses of how a tree's files belong together: made from names, judged by files and pixels."""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, read_array
from swiftseg.data.images.header import read_header
from swiftseg.data.own.families import Family, Member, Unit
from swiftseg.data.own.forms import Form, forms_of, key_of
from swiftseg.data.own.look import Look, look_at
from swiftseg.data.own.patterns import Parts
from swiftseg.data.own.words import (
    IMAGE_WORDS,
    MASK_WORDS,
    SIDE_WORDS,
    mask_evidence,
    picture_share,
    side_share,
    single_words,
    tokens_of,
    words_of,
)
from swiftseg.data.paired_files import are_proportional

Entry = TypeVar("Entry")

MAX_VOTING = 6000  # files a family that are asked for their keys
MAX_SHARED = 48  # of a key that more files have than this, nothing follows
TRIED = 60  # hypotheses that are tried on all files
MAX_CLASS_FOLDERS = 40
MIN_QUALITY = 0.4  # of a mask that may show one class among others
MAX_SAME = 12
AS_GOOD = 0.95  # of the best score
PROBES = 10  # pairs whose pixels are looked at
FEW_VALUES = 3
FIXED_OVERLAP = 0.93  # masks that overlap more than this are one mask: a field of view
_NUMBERED_CLASS = re.compile(r"([_-][A-Za-z]*)\d+")
_NUMBERED = re.compile(r"(.*[^\W\d_])([_-])\d+")
CLASS_OVERLAP = 0.25  # masks of one image that overlap less are classes or instances


@dataclass
class Hypothesis:
    """One way that images and masks may belong together.

    Attributes:
        picture_form: How the key is taken from an image's path.
        mask_form: How it is taken from a mask's.
        parts: Whether an image has one mask, or one for each instance or class.
        same: Further images with the key of one that is paired.
        quality: How much the pixels, names and sizes speak for it, 0 to 1.
        num_values: Distinct values of the masks looked at, the mean.
        class_place: Where a path names the class of a mask of its own: `after`, what the stem ends
            with; `stem`; `tail`, the folders at its end; `slot0` and so on, one of the variable
            folders; or `slots`, these. Empty where it does not.
        endings: What the stems of the classes' masks end with, where each class has its own.
        numbered: The sign before the number of further masks of an image, as in `a_mask_1`.
    """

    pictures: Family
    masks: Family
    picture_form: Form
    mask_form: Form
    parts: Parts = "one"
    pairs: list[tuple[Member, list[Member]]] = field(
        default_factory=list[tuple[Member, list[Member]]]
    )
    same: list[Member] = field(default_factory=list[Member])
    quality: float = 0.0
    num_values: float = 0.0
    class_place: str = ""
    endings: tuple[str, ...] = ()
    numbered: str = ""

    @property
    def score(self) -> float:
        return len(self.pairs) * self.quality

    @property
    def richness(self) -> float:
        """How many classes the masks of an image tell apart."""
        if self.parts != "classes":
            return self.num_values
        return 1 + max((len(masks) for _, masks in self.pairs), default=0)


Place = Callable[[Member], object]


def _places(form: Form, members: Sequence[Member]) -> dict[str, Place]:
    """Return what may tell files apart that have one key: folders that it goes without, and more.

    Numbers in a stem count instances.
    """
    num_slots = len(members[0].slots)
    free = [at for at in form.free if at < num_slots] or list(range(num_slots))
    places: dict[str, Place] = {"tail": lambda member: member.tail}
    places |= {f"slot{at}": partial(_slot_of, at=at) for at in free}
    places["slots"] = lambda member: tuple(member.slots[at] for at in free)
    places["suffix"] = lambda member: member.item.file.suffix
    places["stem"] = lambda member: re.sub(r".*\d.*", "", member.item.stem)
    return places


def _slot_of(member: Member, *, at: int) -> str:
    return member.slots[at]


class Looker:
    """Looks at files, each once."""

    def __init__(self, root: Path, units: Iterable[Unit]) -> None:
        self.root = root
        self.known: dict[str, Look | None] = {}
        for unit in units:
            self.known.update(unit.looks)

    def look(self, path: str) -> Look | None:
        if path not in self.known:
            self.known[path] = look_at(self.root / path)
        return self.known[path]

    def sizes_hw(self, path: str) -> set[tuple[int, int]]:
        """Return the size of a file's image as stored and as shown; nothing if unreadable."""
        place = self.root / path
        try:
            if place.suffix.lower() in ARRAY_SUFFIXES:
                shape = read_array(place).shape
                return {(shape[0], shape[1])}
            header = read_header(place)
        except SwiftsegError:
            return set()
        return {header.size_hw, header.shown_hw}


def find_hypotheses(families: Sequence[Family], looker: Looker) -> list[Hypothesis]:
    """Return the hypotheses that pair at least some files, the best first."""
    tried: list[Hypothesis] = []
    seen: set[tuple[object, ...]] = set()
    for (pictures, masks), forms in _voted(families):
        hypothesis = Hypothesis(pictures, masks, *forms)
        for variant in _variants(hypothesis, looker):
            if not variant.pairs:
                continue
            first = variant.pairs[0][0].item.file.path
            outcome = (first, frozenset(m[0].item.file.path for _, m in variant.pairs))
            if outcome not in seen:
                seen.add(outcome)
                _take_in_numbered(variant, looker)
                _judge(variant, looker)
                tried.append(variant)
    tried += _class_hypotheses(tried, looker)
    return _ranked(tried)


def _ranked(tried: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Order by what is explained; of those that are as good, richer masks and simpler names win."""

    def order(hypothesis: Hypothesis) -> tuple[bool, float, float, int]:
        is_near = hypothesis.score >= AS_GOOD * best
        richness = min(hypothesis.richness, 64)
        cost = hypothesis.picture_form.cost + hypothesis.mask_form.cost
        score = round(hypothesis.score, 1)
        return is_near, richness if is_near else score, score if is_near else richness, -cost

    best = max((hypothesis.score for hypothesis in tried), default=0.0)
    return sorted(tried, key=order, reverse=True)


def _voted(
    families: Sequence[Family],
) -> list[tuple[tuple[Family, Family], tuple[Form, Form]]]:
    """Let samples of files vote for the pairs of forms by which they have keys in common."""
    owners: tuple[dict[str, set[tuple[int, Form]]], ...] = (defaultdict(set), defaultdict(set))
    counts: tuple[Counter[tuple[str, int, Form]], ...] = (Counter(), Counter())
    sparse = max(1, max((len(family.members) for family in families), default=0) // MAX_VOTING)
    for number, family in enumerate(families):
        side = int(family.role == "mask")
        for member in family.members:
            if sparse > 1 and _number_hash(member.item.file.path) % sparse:
                continue
            for form in forms_of(member, is_picture=not side):
                key = key_of(member, form)
                for known in () if key is None else (key, f"{member.item.split} {key}"):
                    owners[side][known].add((number, form))
                    counts[side][known, number, form] += 1
    votes: Counter[tuple[int, Form, int, Form]] = Counter()
    for key, pictures in owners[0].items():
        masks = owners[1].get(key)
        if not masks or len(pictures) > MAX_SHARED or len(masks) > MAX_SHARED:
            continue
        for one, form in pictures:
            if counts[0][key, one, form] > MAX_SAME:
                continue  # images that the key does not tell apart
            for other, mask_form in masks:
                votes[one, form, other, mask_form] += 1
    ranked = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0][1].cost + vote[0][3].cost))
    chosen = _spread(ranked)
    return [((families[a], families[b]), (form, mask_form)) for a, form, b, mask_form in chosen]


def _spread(
    ranked: Sequence[tuple[tuple[int, Form, int, Form], int]],
) -> list[tuple[int, Form, int, Form]]:
    """Take the first hypotheses, but few of each pair of families and kind of mask's name."""
    taken: Counter[tuple[int, int, str, str]] = Counter()
    chosen: list[tuple[int, Form, int, Form]] = []
    for (one, form, other, mask_form), _ in ranked:
        kind = (one, other, mask_form.before + "*" + mask_form.after, mask_form.inside)
        taken[kind] += 1
        if taken[kind] <= 3 and len(chosen) < TRIED:
            chosen.append((one, form, other, mask_form))
    return chosen


def _number_hash(path: str) -> int:
    """Hash the longest number in a path, which an image and its mask are likely to share."""
    numbers = [token for token in tokens_of(path) if token.isdigit()]
    return zlib.crc32(max(numbers, key=len).lstrip("0").encode()) if numbers else 0


def _variants(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Pair the files; where images have several masks each, tell instances from alternatives."""
    pairs, hypothesis.same = _paired(hypothesis)
    if len(hypothesis.same) > 0.5 * len(pairs):
        return _narrowed_pictures(hypothesis, looker)
    if sum(len(masks) > 1 for _, masks in pairs) <= 0.02 * len(pairs):
        hypothesis.pairs = [(picture, masks[:1]) for picture, masks in pairs]
        return [hypothesis]
    place, tells, values = _telling_place(hypothesis.mask_form, pairs)
    variants = [_narrowed(hypothesis, pairs, value, tells) for value in values]
    if place == "tail":
        pairs = _beside_each_other(pairs)
    if place:
        pairs = _of_classes(pairs, tells)
    several = [masks for _, masks in pairs if len(masks) > 1]
    if place == "suffix" or not several or not _are_parts(several, looker):
        return variants
    if place == "":
        is_count = not _are_numbered_classes(several)
        return [replace(hypothesis, parts="instances", pairs=pairs)] if is_count else []
    return [replace(hypothesis, parts="classes", pairs=pairs, class_place=place), *variants]


def _are_numbered_classes(groups: Sequence[Sequence[Member]]) -> bool:
    """Whether the masks of every image have the same numbers: they show classes, no instances."""
    numbers = {
        frozenset(tuple(re.findall(r"\d+", mask.item.stem)[-1:]) for mask in g) for g in groups
    }
    return len(groups) > 2 and len(numbers) == 1 and len(groups[0]) > 2


def _beside_each_other(
    pairs: Sequence[tuple[Member, list[Member]]],
) -> list[tuple[Member, list[Member]]]:
    """Keep the masks in most of the folders that lie side by side: those name the classes.

    What lies above or elsewhere shows all classes, or something else.
    """
    tails = {mask.tail for _, masks in pairs for mask in masks if mask.tail}
    [(most, _)] = Counter(tail[:-1] for tail in tails).most_common(1)
    kept = [(p, [m for m in masks if m.tail and m.tail[:-1] == most]) for p, masks in pairs]
    return [(picture, masks) for picture, masks in kept if masks]


def _of_classes(
    pairs: Sequence[tuple[Member, list[Member]]], tells: Place
) -> list[tuple[Member, list[Member]]]:
    """Leave out masks of what is no class, such as the folders `edges` and `masks`."""

    def is_class(mask: Member) -> bool:
        value = tells(mask)
        text = value if isinstance(value, str) else "/".join(cast(tuple[str, ...], value))
        return not text or not single_words(text) <= MASK_WORDS | SIDE_WORDS | IMAGE_WORDS

    kept = [(picture, [mask for mask in masks if is_class(mask)]) for picture, masks in pairs]
    return [(picture, masks) for picture, masks in kept if masks]


def _paired(
    hypothesis: Hypothesis,
) -> tuple[list[tuple[Member, list[Member]]], list[Member]]:
    """Pair the files by their keys.

    Returns:
        Images with their masks, and further images that have the key of one of these.
    """
    by_key: tuple[dict[tuple[str, str], list[Member]], ...] = (defaultdict(list), defaultdict(list))
    families = (hypothesis.pictures, hypothesis.masks)
    forms = (hypothesis.picture_form, hypothesis.mask_form)
    with_split = all(m.item.split is not None for f in families for m in f.members)
    for family, form, found in zip(families, forms, by_key, strict=True):
        for member in family.members:
            key = key_of(member, form)
            if key is not None:
                split = member.item.split if with_split else None
                found[split or "", key].append(member)
    pairs: list[tuple[Member, list[Member]]] = []
    same: list[Member] = []
    for key, pictures in by_key[0].items():
        paths = {picture.item.file.path for picture in pictures}
        masks = [m for m in by_key[1].get(key, []) if m.item.file.path not in paths]
        if masks:
            pairs.append((pictures[0], masks))
            same += pictures[1:]
    return pairs, same


def _narrowed_pictures(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Take the images of one suffix or folder where each image is there in several."""
    pictures = hypothesis.pictures
    for place in _places(hypothesis.picture_form, pictures.members).values():
        alike: defaultdict[object, list[Member]] = defaultdict(list)
        for member in pictures.members:
            alike[place(member)].append(member)
        if not 1 < len(alike) <= MAX_CLASS_FOLDERS:
            continue
        found: list[Hypothesis] = []
        for members in alike.values():
            family = replace(pictures, members=members, maskness=_maskness(members, pictures))
            narrowed = replace(hypothesis, pictures=family, same=[])
            pairs, same = _paired(narrowed)
            if pairs and not same:
                found += _variants(narrowed, looker)
        if found:
            return found
    return []


def _maskness(members: Sequence[Member], family: Family) -> float:
    """Return how much some of a family's files look like masks, by what their folders say."""
    folders = members[0].item.file.folders
    said = mask_evidence("/".join((*folders, "")))
    return float(np.clip(family.maskness + 0.1 * said, 0.0, 1.0))


def _telling_place(
    form: Form, pairs: Sequence[tuple[Member, list[Member]]]
) -> tuple[str, Place, list[object]]:
    """Find what tells the several masks of an image apart, and the values it has."""
    for name, place in _places(form, [mask for _, masks in pairs for mask in masks]).items():
        values = Counter(place(mask) for _, masks in pairs for mask in masks)
        tells_apart = all(len({place(m) for m in masks}) == len(masks) for _, masks in pairs)
        if 1 < len(values) <= MAX_CLASS_FOLDERS and tells_apart:
            return name, place, list(values)
    return "", lambda member: member, []


def _narrowed(
    hypothesis: Hypothesis,
    pairs: Sequence[tuple[Member, list[Member]]],
    value: object,
    place: Place,
) -> Hypothesis:
    chosen = [(picture, [m for m in masks if place(m) == value]) for picture, masks in pairs]
    return replace(hypothesis, pairs=[(picture, masks) for picture, masks in chosen if masks])


def _take_in_numbered(hypothesis: Hypothesis, looker: Looker) -> None:
    """Add masks such as `a_mask_1` to the image of `a_mask`, as further instances."""
    if hypothesis.parts != "one" or hypothesis.mask_form.kind == "folder":
        return
    paired = {m.item.file.path for _, masks in hypothesis.pairs for m in masks}
    more: defaultdict[tuple[object, ...], list[Member]] = defaultdict(list)
    for member in hypothesis.masks.members:
        found = _NUMBERED.fullmatch(member.item.stem)
        if found and member.item.file.path not in paired:
            more[member.item.file.folders, found[1], found[2]].append(member)
    for sign in sorted({str(key[2]) for key in more}):
        pairs = [
            (picture, [mask, *more[mask.item.file.folders, mask.item.stem, sign]])
            for picture, (mask, *_) in hypothesis.pairs
        ]
        several = [masks for _, masks in pairs if len(masks) > 1]
        if several and _are_parts(several, looker):
            hypothesis.pairs, hypothesis.parts, hypothesis.numbered = pairs, "instances", sign
            return


def _are_parts(groups: Sequence[list[Member]], looker: Looker) -> bool:
    """Whether masks of one image are binary and hardly overlap: instances or classes of it."""
    overlaps: list[float] = []
    for masks in _evenly(groups, PROBES):
        looks = [looker.look(mask.item.file.path) for mask in masks[:6]]
        known = [look for look in looks if look is not None]
        if any(_is_many(look) for look in known):
            return False
        for one, other in pairwise(known):
            if one.foreground.any() and other.foreground.any():
                overlaps.append(overlap(one.foreground, other.foreground))
    return not overlaps or float(np.mean(overlaps)) < CLASS_OVERLAP


def _is_many(look: Look) -> bool:
    return look.num_values > 2 and (look.maskness is None or look.num_main > 8)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over union of two bool arrays."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def _class_hypotheses(tried: Sequence[Hypothesis], looker: Looker) -> list[Hypothesis]:
    """Join hypotheses whose masks end in different words, or numbers: one file a class."""
    alike: defaultdict[tuple[object, ...], dict[str, Hypothesis]] = defaultdict(dict)
    for hypothesis in tried:
        form = hypothesis.mask_form
        numbered = _NUMBERED_CLASS.fullmatch(form.after)
        sign = numbered.group(1) if numbered else form.after[:1]
        is_word = len(form.after) > 1 and not sign[0].isalnum() and hypothesis.quality > MIN_QUALITY
        is_class = numbered or not words_of(form.after) & (MASK_WORDS | SIDE_WORDS)
        if is_word and is_class and hypothesis.parts == "one":
            kind = form.kind if form.kind == "number" else "name"
            key = (
                id(hypothesis.pictures),
                id(hypothesis.masks),
                hypothesis.picture_form,
                kind,
                form.before,
                sign,
                _folders_at_end(hypothesis),
            )
            alike[key].setdefault(form.after, hypothesis)
    found: list[Hypothesis] = []
    for group in alike.values():
        joined = _joined(list(group.values()), looker)
        if joined is not None:
            found.append(joined)
    return found


def _folders_at_end(hypothesis: Hypothesis) -> frozenset[tuple[str, ...]] | None:
    """Return the folders at the end of the masks' paths; None where all lie in one."""
    masks = [mask for _, masks in hypothesis.pairs for mask in masks]
    free = frozenset(hypothesis.mask_form.freed(mask) for mask in masks)
    return free if len(free) > 1 else None


def _joined(group: Sequence[Hypothesis], looker: Looker) -> Hypothesis | None:
    of_picture: dict[str, tuple[Member, list[Member]]] = {}
    for hypothesis in group:
        for picture, masks in hypothesis.pairs:
            of_picture.setdefault(picture.item.file.path, (picture, []))[1].extend(masks)
    pairs = list(of_picture.values())
    several = [masks for _, masks in pairs if len(masks) > 1]
    is_numbered = _NUMBERED_CLASS.fullmatch(group[0].mask_form.after) is not None
    if is_numbered and any(len(masks) < len(group) for _, masks in pairs):
        return None  # numbers that only some images have count instances
    if len(group) < 2 or len(several) < 0.2 * len(pairs) or not _are_parts(several, looker):
        return None
    endings = tuple(sorted(hypothesis.mask_form.after for hypothesis in group))
    folders = {group[0].mask_form.freed(mask) for _, masks in pairs for mask in masks}
    in_one_folder_each = all(_folders_at_end(hypothesis) is None for hypothesis in group)
    place = "after"
    if len(folders) > 1 and in_one_folder_each:
        place = "slots" if group[0].mask_form.free else "tail"
    joined = replace(group[0], parts="classes", pairs=pairs, class_place=place, endings=endings)
    _judge(joined, looker)
    return joined


def _judge(hypothesis: Hypothesis, looker: Looker) -> None:
    """Weigh looks, names and sizes of some pairs."""
    probes = _evenly(hypothesis.pairs, PROBES)
    mask_looks = [looker.look(masks[0].item.file.path) for _, masks in probes]
    known = [look for look in mask_looks if look is not None]
    paths = [masks[0].item.file.path for _, masks in probes]
    name = paths[0].rpartition(".")[0]
    quality = max(1 - hypothesis.pictures.maskness, 0.15) * max(hypothesis.masks.maskness, 0.1)
    quality *= picture_share(probes[0][0].item.file.path.rpartition(".")[0])
    quality *= side_share(name) * (1 + 0.05 * np.clip(mask_evidence(name), -2, 2))
    quality *= 0.2 + 0.8 * _size_agreement(probes, looker)
    if hypothesis.parts == "one" and _is_field_of_view(known):
        quality *= 0.1
    hypothesis.quality = float(quality) * (1.1 if hypothesis.parts != "one" else 1.0)
    hypothesis.num_values = float(np.mean([look.num_values for look in known])) if known else 0.0


def _size_agreement(probes: Sequence[tuple[Member, list[Member]]], looker: Looker) -> float:
    """Return the mean over pairs: 1 for one size, 0.95 for one proportion, 0 for others."""
    agreed: list[float] = []
    for picture, masks in probes:
        sizes = looker.sizes_hw(picture.item.file.path)
        others = looker.sizes_hw(masks[0].item.file.path)
        if sizes and others:
            same = any(are_proportional(a, b) for a in sizes for b in others)
            agreed.append(1.0 if sizes & others else 0.95 if same else 0.0)
    return float(np.mean(agreed)) if agreed else 1.0


def _is_field_of_view(looks: Sequence[Look]) -> bool:
    """Whether all masks are nearly the same: they show the camera's field of view, no classes."""
    if any(look.num_values > FEW_VALUES for look in looks):
        return False  # masks of classes, alike as neighboring frames of a drive are
    shown = [look.foreground for look in looks if look.num_values > 1]
    if len(shown) < 3 or (len({look.digest for look in looks}) < 2 and len(looks) < 4):
        return False
    overlaps = [overlap(a, b) for a, b in pairwise(shown) if a.shape == b.shape]
    return min(overlaps) > FIXED_OVERLAP


def _evenly(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Return some entries, evenly spaced."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round())
    return [entries[index] for index in chosen.astype(int).tolist()]
