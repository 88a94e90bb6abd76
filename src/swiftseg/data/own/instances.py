"""Masks of one instance each that numbers in their names count: `a_1`, `a_2` of the image `a`."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from swiftseg.data.own.families import Member
from swiftseg.data.own.forms import key_of
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.judging import Looker
from swiftseg.data.own.variants import are_numbered_classes, are_parts, has_splits

_NUMBERED = re.compile(r"(.*[^\W\d_])([_-])\d+")
_COUNTED = re.compile(r"[_-][A-Za-z]*[_-]?\d+(?:[_-]\d+)*")


def take_in_numbered(hypothesis: Hypothesis, looker: Looker) -> None:
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
        if several and are_parts(several, looker):
            hypothesis.pairs, hypothesis.parts, hypothesis.numbered = pairs, "instances", sign
            return


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
