"""Hypotheses where images have several masks each: of instances, of classes, or alternatives."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np

from swiftseg.data.own.families import Family, Member
from swiftseg.data.own.forms import Form, key_of
from swiftseg.data.own.hypothesis import Hypothesis, Place, places_of
from swiftseg.data.own.judging import PROBES, Looker, evenly, judge, overlap
from swiftseg.data.own.look import Look
from swiftseg.data.own.words import (
    IMAGE_WORDS,
    MASK_WORDS,
    SIDE_WORDS,
    mask_evidence,
    single_words,
    words_of,
)

MAX_CLASS_FOLDERS = 40
MIN_QUALITY = 0.4  # of a mask that may show one class among others
CLASS_OVERLAP = 0.25  # masks of one image that overlap less are classes or instances
MAX_COPIES = 4
MAX_CLASS_VALUES = 8
NESTED_AREA, NESTED_SHARE = 0.7, 0.9  # two raters' masks are nearly as large as each other
COPY_DIFFERENCE = 4.0  # of gray levels, between an image and its copy in another format
_NUMBERED_CLASS = re.compile(r"([_-][A-Za-z]*)\d+(?:[_-]\d+)*")


def variants(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Pair the files; where images have several masks each, tell instances from alternatives."""
    pairs, hypothesis.same = paired_by_key(hypothesis)
    if len(hypothesis.same) > 0.5 * len(pairs):
        return _narrowed_pictures(hypothesis, looker)
    if sum(len(masks) > 1 for _, masks in pairs) <= 0.02 * len(pairs):
        hypothesis.pairs = [(picture, masks[:1]) for picture, masks in pairs]
        return _without_copies(hypothesis, looker)
    place, tells, values = _telling_place(hypothesis.mask_form, pairs)
    variants = [_narrowed(hypothesis, pairs, value, tells) for value in values]
    if place == "tail":
        pairs = _beside_each_other(pairs)
    if place:
        pairs = _of_classes(pairs, tells)
    several = [masks for _, masks in pairs if len(masks) > 1]
    if place == "suffix" or not several or not are_parts(several, looker):
        return variants
    if place == "":
        is_count = not are_numbered_classes(several)
        return [replace(hypothesis, parts="instances", pairs=pairs)] if is_count else []
    return [replace(hypothesis, parts="classes", pairs=pairs, class_place=place), *variants]


def _without_copies(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Take one folder of several that hold the same images, such as those of PNGs and of TIFFs."""
    form = hypothesis.picture_form
    for at in range(len(hypothesis.pictures.members[0].slots)):
        names = sorted({picture.slots[at] for picture, _ in hypothesis.pairs})
        if at in form.free or not 1 < len(names) <= MAX_COPIES:
            continue
        without = form._replace(free=(*form.free, at))
        alike: defaultdict[object, list[Member]] = defaultdict(list)
        for picture, _ in hypothesis.pairs:
            alike[picture.item.split, key_of(picture, without)].append(picture)
        groups = list(alike.values())
        if all(len(group) == len(names) for group in groups) and _are_copies(groups, looker):
            of_name = [[p for p in hypothesis.pairs if p[0].slots[at] == name] for name in names]
            return [replace(hypothesis, pairs=pairs, has_copies=True) for pairs in of_name]
    return [hypothesis]


def _are_copies(groups: Sequence[list[Member]], looker: Looker) -> bool:
    for group in evenly(groups, PROBES):
        looks = [looker.look(picture.item.file.path) for picture in group]
        for one, other in pairwise(looks):
            if one is None or other is None or one.size_hw != other.size_hw:
                return False
            if np.abs(one.gray.astype(float) - other.gray).mean() > COPY_DIFFERENCE:
                return False
    return True


def are_numbered_classes(groups: Sequence[Sequence[Member]]) -> bool:
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


def paired_by_key(
    hypothesis: Hypothesis,
) -> tuple[list[tuple[Member, list[Member]]], list[Member]]:
    """Pair the files by their keys.

    Returns:
        Images with their masks, and further images that have the key of one of these.
    """
    by_key: tuple[dict[tuple[str, str], list[Member]], ...] = (defaultdict(list), defaultdict(list))
    families = (hypothesis.pictures, hypothesis.masks)
    forms = (hypothesis.picture_form, hypothesis.mask_form)
    with_split = has_splits(families)
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


def has_splits(families: Sequence[Family]) -> bool:
    """Whether the paths of all files name a split, which then belongs to their keys."""
    return all(m.item.split is not None for family in families for m in family.members)


def _narrowed_pictures(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Take the images of one suffix or folder where each image is there in several."""
    pictures = hypothesis.pictures
    for place in places_of(hypothesis.picture_form, pictures.members).values():
        alike: defaultdict[object, list[Member]] = defaultdict(list)
        for member in pictures.members:
            alike[place(member)].append(member)
        if not 1 < len(alike) <= MAX_CLASS_FOLDERS:
            continue
        found: list[Hypothesis] = []
        for members in alike.values():
            family = replace(pictures, members=members, maskness=_maskness(members, pictures))
            narrowed = replace(hypothesis, pictures=family, same=[])
            pairs, same = paired_by_key(narrowed)
            if pairs and not same:
                found += variants(narrowed, looker)
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
    for name, place in places_of(form, [mask for _, masks in pairs for mask in masks]).items():
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


def are_parts(
    groups: Sequence[list[Member]],
    looker: Looker,
    *,
    of_few_values: bool = True,
    nested: bool = False,
) -> bool:
    """Whether masks of one image have few values and hardly overlap: instances or classes of it.

    Where they may be `nested`, one that lies within a far larger one does not overlap it.
    """
    overlaps: list[float] = []
    for masks in evenly(groups, PROBES):
        looks = [looker.look(mask.item.file.path) for mask in masks[:6]]
        known = [look for look in looks if look is not None]
        if of_few_values and any(_is_many(look) for look in known):
            return False
        for one, other in pairwise(known):
            if nested and _is_within(*sorted((one.foreground, other.foreground), key=np.sum)):
                overlaps.append(0.0)
            elif one.foreground.any() and other.foreground.any():
                overlaps.append(overlap(one.foreground, other.foreground))
    return not overlaps or float(np.mean(overlaps)) < CLASS_OVERLAP


def _is_within(small: np.ndarray, large: np.ndarray) -> bool:
    """Whether a mask lies in a far larger one, as an eye's cup in its disc; bool arrays."""
    area = small.sum()
    is_smaller = area < NESTED_AREA * large.sum()
    return bool(area and is_smaller and (small & large).sum() >= NESTED_SHARE * area)


def _is_many(look: Look) -> bool:
    return look.num_values > 2 and (look.maskness is None or look.num_main > 8)


def class_hypotheses(tried: Sequence[Hypothesis], looker: Looker) -> list[Hypothesis]:
    """Join hypotheses whose masks end in different words, or numbers: one file a class."""
    alike: defaultdict[tuple[object, ...], dict[str, Hypothesis]] = defaultdict(dict)
    for hypothesis in tried:
        form = hypothesis.mask_form
        numbered = _NUMBERED_CLASS.fullmatch(form.after)
        sign = numbered.group(1) if numbered else form.after[:1]
        is_word = len(form.after) > 1 and not sign[0].isalnum() and hypothesis.quality > MIN_QUALITY
        words = words_of(form.after)
        is_class = numbered or not (words & SIDE_WORDS or single_words(form.after) <= MASK_WORDS)
        if is_word and is_class and hypothesis.parts == "one":
            kind = form.kind if form.kind == "number" else "name"
            key = (
                _files_of(hypothesis.pictures),
                _files_of(hypothesis.masks),
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


def _files_of(family: Family) -> tuple[object, ...]:
    """Return what tells families apart, also those that are narrowed to some of their files."""
    return family.template, len(family.members), family.members[0].item.file.path


def _tells_classes(hypothesis: Hypothesis) -> bool:
    """Whether masks hold some values, and not two or those of soft edges."""
    is_lossy = hypothesis.pairs[0][1][0].item.file.suffix in (".jpg", ".jpeg")
    return 2 < hypothesis.num_values <= MAX_CLASS_VALUES and not is_lossy


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
    if any(_tells_classes(one) for one in group) and not all(_tells_classes(one) for one in group):
        return None  # a mask of all classes, and beside it one of borders
    if len(group) < 2 or len(several) < 0.2 * len(pairs):
        return None
    is_binary = all(one.num_values <= 2 for one in group)
    if not are_parts(several, looker, nested=is_binary and not is_numbered):
        return None
    endings = tuple(sorted(hypothesis.mask_form.after for hypothesis in group))
    folders = {group[0].mask_form.freed(mask) for _, masks in pairs for mask in masks}
    in_one_folder_each = all(_folders_at_end(hypothesis) is None for hypothesis in group)
    place = "after"
    if len(folders) > 1 and in_one_folder_each:
        place = "slots" if group[0].mask_form.free else "tail"
    joined = replace(group[0], parts="classes", pairs=pairs, class_place=place, endings=endings)
    judge(joined, looker)
    return joined
