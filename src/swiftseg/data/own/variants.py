"""Hypotheses where images have several masks each: of instances, of classes, or alternatives."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from typing import cast

import numpy as np

from swiftseg.data.own.families import Family, Member
from swiftseg.data.own.forms import Form, key_of
from swiftseg.data.own.hypothesis import Hypothesis, Place, places_of
from swiftseg.data.own.judging import PROBES, Looker, evenly, overlap
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
CLASS_OVERLAP = 0.25  # masks of one image that overlap less are classes or instances
MAX_COPIES = 4
NESTED_AREA, NESTED_SHARE = 0.7, 0.9  # two raters' masks are nearly as large as each other
SOFT_WITHIN, SOFT_SHARE = 32, 0.8
COPY_DIFFERENCE = 4.0  # of gray levels, between an image and its copy in another format


def variants(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Pair the files; where images have several masks each, tell instances from alternatives."""
    pairs, hypothesis.same = paired_by_key(hypothesis)
    if len(hypothesis.same) > 0.5 * len(pairs):
        return _narrowed_pictures(hypothesis, looker)
    of_one_folder = _narrowed_pictures(hypothesis, looker, by_folder=True)
    return [*of_one_folder, *_variants_of_masks(hypothesis, pairs, looker)]


def _variants_of_masks(
    hypothesis: Hypothesis, pairs: list[tuple[Member, list[Member]]], looker: Looker
) -> list[Hypothesis]:
    """Take the masks of an image for one, or tell instances and classes from alternatives."""
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
    nested = place not in ("", "suffix") and _are_named_apart(several, tells)
    if place == "suffix" or not several or not are_parts(several, looker, nested=nested):
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


def _are_named_apart(groups: Sequence[Sequence[Member]], tells: Place) -> bool:
    """Whether no mask is called all that another of its image is, and more, as by a correction."""
    probes = evenly(groups, PROBES)
    named = [[words_of(str(tells(mask))) - MASK_WORDS for mask in masks] for masks in probes]
    return not any(one <= other for of_image in named for one, other in permutations(of_image, 2))


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


def _narrowed_pictures(
    hypothesis: Hypothesis, looker: Looker, *, by_folder: bool = False
) -> list[Hypothesis]:
    """Take the images of one folder, or of one suffix, where each image is there in several.

    Where only a few are, `by_folder`, two suffixes are no alternatives but a mistake.
    """
    if not hypothesis.same:
        return []
    pictures = hypothesis.pictures
    places = places_of(hypothesis.picture_form, pictures.members)
    for name, place in places.items():
        if by_folder and name in ("suffix", "stem"):
            continue
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

    Where they may be `nested`, one that lies within a far larger one does not overlap it, if both
    are of two values.
    """
    overlaps: list[list[float]] = [[], [], []]  # of what is rare, bright and dark
    for masks in evenly(groups, PROBES):
        looks = [looker.look(mask.item.file.path) for mask in masks[:6]]
        known = [look for look in looks if look is not None]
        if of_few_values and any(_is_many(look) for look in known):
            return False
        for one, other in pairwise(known):
            for found, shown in zip(overlaps, _shown(one, other), strict=True):
                found += _overlaps_of(*shown, nested=nested and _are_binary(one, other))
    means = [float(np.mean(found)) for found in overlaps if found]
    return not means or min(means) < CLASS_OVERLAP


def _overlaps_of(one: np.ndarray, other: np.ndarray, *, nested: bool) -> list[float]:
    """Return how much two masks overlap, bool arrays; nothing where one is empty."""
    smaller, larger = sorted((one, other), key=np.sum)
    if nested and _is_within(smaller, larger):
        return [0.0]
    return [overlap(one, other)] if smaller.any() else []


def _shown(one: Look, other: Look) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """Return what two masks may show: what is rare in them, or what is bright or dark in both.

    A class such as a road may be most of its masks.
    """
    rare = one.foreground, other.foreground
    if not _are_binary(one, other):
        return rare, rare, rare
    both = np.concatenate([one.gray, other.gray]).astype(float)
    level = (both.min() + both.max()) / 2
    bright = one.gray > level, other.gray > level
    return rare, bright, (~bright[0], ~bright[1])


def _are_binary(one: Look, other: Look) -> bool:
    return all(look.num_values <= 2 or _has_soft_edges(look) for look in (one, other))


def _has_soft_edges(look: Look) -> bool:
    """Whether nearly all of what is seen is near the lowest or the highest value, far apart."""
    low, high = float(look.gray.min()), float(look.gray.max())
    is_near = (look.gray <= low + SOFT_WITHIN) | (look.gray >= high - SOFT_WITHIN)
    return high - low > 4 * SOFT_WITHIN and float(is_near.mean()) > SOFT_SHARE


def _is_within(small: np.ndarray, large: np.ndarray) -> bool:
    """Whether a mask lies in a far larger one, as an eye's cup in its disc; bool arrays."""
    area = small.sum()
    is_smaller = area < NESTED_AREA * large.sum()
    return bool(area and is_smaller and (small & large).sum() >= NESTED_SHARE * area)


def _is_many(look: Look) -> bool:
    is_few = look.num_values <= 2 or _has_soft_edges(look)
    return not is_few and (look.maskness is None or look.num_main > 8)
