"""Masks of one instance each that numbers in their names count: `a_1`, `a_2` of the image `a`."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swiftseg.data.own.families import Member
from swiftseg.data.own.forms import Form, key_of
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.judging import Looker
from swiftseg.data.own.variants import are_numbered_classes, are_parts, has_splits

_NUMBERED = re.compile(r"(.*[^\W\d_])([_-]?)\d+")
_COUNTED = re.compile(r"[_-][A-Za-z]*[_-]?\d+(?:[_-]\d+)*")


def take_in_numbered(hypothesis: Hypothesis, looker: Looker) -> None:
    """Add masks such as `a_mask_1` or `a_mask1` to the image of `a_mask`, as further instances.

    Some images may have numbered ones alone.
    """
    if hypothesis.parts != "one" or hypothesis.mask_form.kind == "folder":
        return
    paired = {m.item.file.path for _, masks in hypothesis.pairs for m in masks}
    more: defaultdict[tuple[object, ...], list[Member]] = defaultdict(list)
    for member in hypothesis.masks.members:
        found = _NUMBERED.fullmatch(member.item.stem)
        is_plain = found and (found[2] or _is_mask_word(found[1], hypothesis.mask_form))
        if found and is_plain and member.item.file.path not in paired:
            more[member.item.file.folders, found[1], found[2]].append(member)
    for sign in sorted({str(key[2]) for key in more}):
        pairs = [
            (picture, [mask, *more[mask.item.file.folders, mask.item.stem, sign]])
            for picture, (mask, *_) in hypothesis.pairs
        ]
        several = [masks for _, masks in pairs if len(masks) > 1]
        of_sign = {key: masks for key, masks in more.items() if masks and key[2] == sign}
        pairs += _with_numbered_alone(hypothesis, of_sign)
        several += [masks for _, masks in pairs[len(hypothesis.pairs) :] if len(masks) > 1]
        if several and are_parts(several, looker):
            hypothesis.pairs, hypothesis.parts, hypothesis.numbered = pairs, "instances", sign
            return


def _is_mask_word(stem: str, form: Form) -> bool:
    """Whether a stem ends in a word that all masks have, behind which a number may follow."""
    return len(form.after) > 1 and stem.endswith(form.after) and stem != form.after


def _with_numbered_alone(
    hypothesis: Hypothesis, numbered: Mapping[tuple[object, ...], list[Member]]
) -> list[tuple[Member, list[Member]]]:
    """Pair the images that have masks `a_mask_1` and so on, and no `a_mask`."""
    with_split = has_splits((hypothesis.pictures, hypothesis.masks))
    of_key: dict[tuple[str | None, str | None], list[Member]] = {}
    for (_, stem, _), masks in numbered.items():
        first = masks[0]
        plain = replace(first, item=replace(first.item, stem=str(stem)))
        split = first.item.split if with_split else None
        of_key[split, key_of(plain, hypothesis.mask_form)] = masks
    known = {picture.item.file.path for picture, _ in hypothesis.pairs}
    pairs: list[tuple[Member, list[Member]]] = []
    for picture in hypothesis.pictures.members:
        key = key_of(picture, hypothesis.picture_form)
        masks = of_key.get((picture.item.split if with_split else None, key))
        if key is not None and masks and picture.item.file.path not in known:
            pairs.append((picture, masks))
    return pairs


def counted_instances(hypothesis: Hypothesis, looker: Looker) -> list[Hypothesis]:
    """Pair images with all the masks whose names end in a number, where these are instances."""
    form = hypothesis.mask_form
    if hypothesis.parts != "one" or form.inside or not _COUNTED.fullmatch(form.after):
        return []
    shape = re.sub(r"\d+", r"\\d+", form.after)
    pairs = _pairs_of_counted(hypothesis, shape)
    several = [masks for _, masks in pairs if len(masks) > 1]
    if not several or are_numbered_classes(several):
        return []
    if not are_parts(several, looker, of_few_values=False):
        return []
    return [replace(hypothesis, parts="instances", pairs=pairs, same=[], counted=shape)]


def _pairs_of_counted(hypothesis: Hypothesis, shape: str) -> Sequence[tuple[Member, list[Member]]]:
    """Pair images with masks of the same key and a number behind it."""
    families = (hypothesis.pictures, hypothesis.masks)
    with_split = has_splits(families)
    of_key: defaultdict[tuple[str | None, str], list[Member]] = defaultdict(list)
    for member in hypothesis.masks.members:
        found = re.fullmatch(f".+?({shape})", member.item.stem)
        key = key_of(member, hypothesis.mask_form._replace(after=found[1])) if found else None
        if key is not None:
            of_key[member.item.split if with_split else None, key].append(member)
    pairs: list[tuple[Member, list[Member]]] = []
    for picture in hypothesis.pictures.members:
        key = key_of(picture, hypothesis.picture_form)
        split = picture.item.split if with_split else None
        masks = of_key.pop((split, key), []) if key is not None else []
        masks = [mask for mask in masks if mask.item.file.path != picture.item.file.path]
        if masks:
            pairs.append((picture, masks))
    return pairs
