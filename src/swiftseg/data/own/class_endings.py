"""Masks of one class each whose names tell it: those of an image end in other words or numbers."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from swiftseg.data.own.families import Family, Member
from swiftseg.data.own.forms import key_of
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.judging import Looker, judge
from swiftseg.data.own.variants import are_parts, has_splits
from swiftseg.data.own.words import IMAGE_WORDS, MASK_WORDS, SIDE_WORDS, single_words, words_of

MIN_QUALITY = 0.4  # of a mask that may show one class among others
MAX_CLASS_VALUES = 8
_NUMBERED_CLASS = re.compile(r"([_-][A-Za-z]*)\d+(?:[_-]\d+)*")


def class_hypotheses(tried: Sequence[Hypothesis], looker: Looker) -> list[Hypothesis]:
    """Join hypotheses whose masks end in different words, or numbers: one file a class."""
    alike: defaultdict[tuple[object, ...], dict[str, Hypothesis]] = defaultdict(dict)
    for hypothesis in tried:
        form = hypothesis.mask_form
        numbered = _NUMBERED_CLASS.fullmatch(form.after)
        sign = numbered.group(1) if numbered else form.after[:1]
        is_word = len(form.after) > 1 and not sign[0].isalnum() and hypothesis.quality > MIN_QUALITY
        is_class = numbered or _names_class(form.after)
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


def _names_class(ending: str) -> bool:
    is_plain = single_words(ending) <= MASK_WORDS | IMAGE_WORDS
    return not (is_plain or words_of(ending) & SIDE_WORDS)


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
    if not are_parts(several, looker, nested=not is_numbered):
        return None
    more = [] if is_numbered else list(_of_rare_classes(group[0], pairs))
    endings = tuple(sorted({*(one.mask_form.after for one in group), *more}))
    folders = {group[0].mask_form.freed(mask) for _, masks in pairs for mask in masks}
    in_one_folder_each = all(_folders_at_end(hypothesis) is None for hypothesis in group)
    place = "after"
    if len(folders) > 1 and in_one_folder_each:
        place = "slots" if group[0].mask_form.free else "tail"
    joined = replace(group[0], parts="classes", pairs=pairs, class_place=place, endings=endings)
    judge(joined, looker)
    return joined


def _of_rare_classes(
    one: Hypothesis, pairs: Sequence[tuple[Member, list[Member]]]
) -> Iterator[str]:
    """Add masks of classes that few images have to the pairs, and yield what their names end in."""
    form, with_split = one.mask_form, has_splits((one.pictures, one.masks))
    of_key = {
        (with_split and picture.item.split, key_of(picture, one.picture_form)): masks
        for picture, masks in pairs
    }
    known = {mask.item.file.path for _, masks in pairs for mask in masks}
    for member in one.masks.members:
        stem, split = member.item.stem, with_split and member.item.split
        if member.item.file.path in known:
            continue
        for cut in (at for at, sign in enumerate(stem) if sign == form.after[0]):
            masks = of_key.get((split, key_of(member, form._replace(after=stem[cut:]))))
            if masks is not None and _names_class(stem[cut:]):
                masks.append(member)
                yield stem[cut:]
                break
