"""The files of a tree sorted into families: pictures or masks that lie and are named alike."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from swiftseg.core.in_threads import in_threads
from swiftseg.data.own.file_tree import FileTree, TreeFile
from swiftseg.data.own.look import Look, look_at
from swiftseg.data.own.words import (
    IMAGE_WORDS,
    MASK_WORDS,
    SHORT_SPLIT_WORDS,
    find_split,
    mask_evidence,
    single_words,
    tokens_of,
    words_of,
)

Role = Literal["picture", "mask"]

VARIABLE = "*"  # a folder's name that differs from sample to sample, in a template
SAME = "{=}"  # in a template: the name of the folder above, again
CROWD = 20  # more folders side by side than there are kinds of data
LOOKS_A_UNIT = 5
MAX_UNITS = 400
MAX_SHAPES = 24
WORD_WEIGHT = 1.2
UNDECIDED = (0.4, 0.6)
FEW = 0.25
_ENUMERATED = re.compile(r"^(?:[A-Za-z]|\d{1,2})(?=[.)] ?\{split\})")  # a. Training Set, 2) Test


@dataclass(slots=True)
class Item:
    """A file with what its path tells.

    Attributes:
        split: train, val or test, if its path says so.
        template: The folders' names, where variable ones are `VARIABLE`.
    """

    file: TreeFile
    split: str | None
    folders: tuple[str, ...]
    stem: str
    template: tuple[str, ...] = ()
    unit: int = -1


@dataclass
class Unit:
    """Files that should all be pictures or all be masks: of one template, suffix and name's shape.

    Attributes:
        key: The template, the suffix and the shape.
        items: The files.
        looks: What some of them look like, by path.
        maskness: 0 for pictures to 1 for masks, by looks and names.
    """

    key: tuple[tuple[str, ...], str, str]
    items: list[Item] = field(default_factory=list[Item])
    looks: dict[str, Look] = field(default_factory=dict[str, Look])
    maskness: float = 0.5

    @property
    def roles(self) -> frozenset[Role]:
        roles: set[Role] = set()
        if self.maskness < UNDECIDED[1]:
            roles.add("picture")
        if self.maskness > UNDECIDED[0]:
            roles.add("mask")
        return frozenset(roles)


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a family: the names of its variable folders, and of those at the path's end."""

    item: Item
    slots: tuple[str, ...]
    tail: tuple[str, ...]


@dataclass
class Family:
    """Files of one role below folders that are named alike.

    Attributes:
        template: Folders' names; `*` within one stands for what varies.
        maskness: The mean of the units', by files.
    """

    template: tuple[str, ...]
    role: Role
    members: list[Member] = field(default_factory=list[Member])
    maskness: float = 0.0


def sort_files(tree: FileTree, *, by_words: bool = False) -> tuple[list[Family], list[Unit]]:
    """Sort files into families; `by_words` judges by names alone, where pixels left no masks."""
    items = _items(tree.images)
    _keep_words_that_disagree(items)
    _find_splits_in_stems(items)
    _mark_crowds(items)
    units = _units_of(items)
    for unit, looks in zip(units, in_threads(_looks_of(tree.root), units), strict=True):
        unit.looks = looks
        unit.maskness = _unit_maskness(unit, by_words=by_words)
    _follow_majorities(units)
    _merge_siblings(items, units)
    return _families_of(items, units), units


def _items(files: Sequence[TreeFile]) -> list[Item]:
    """Find the splits that paths name.

    A folder of val that stands beside others, and beside no training, is no split: what lies there
    is valid, and the rest is not.
    """
    words = {word for file in files for name in file.folders for word in single_words(name)}
    short = "tr" in words and bool(words & SHORT_SPLIT_WORDS - {"tr"})
    items = [_item(file, short=short) for file in files]
    splits: defaultdict[tuple[str, ...], set[str | None]] = defaultdict(set)
    for item in items:
        if item.split:
            splits[_above_split(item)].add(item.split)
    for item in items:
        for depth in range(len(item.folders)):
            if item.split is None and item.folders[:depth] in splits:
                splits[item.folders[:depth]].add(None)
    return [
        Item(item.file, None, item.file.folders, item.file.stem)
        if item.split and splits[_above_split(item)] == {"val", None}
        else item
        for item in items
    ]


def _above_split(item: Item) -> tuple[str, ...]:
    """Return the folders above the one that names the split."""
    at = next((n for n, name in enumerate(item.folders) if "{split}" in name), 0)
    return item.folders[:at]


def _item(file: TreeFile, *, short: bool = False) -> Item:
    """Find the split that a path names: in its folders, and in its stem where they agree."""
    split: str | None = None
    folders: list[str] = []
    for name in file.folders:
        found = find_split(name, short=short)
        if found and split in (None, found[0]):
            split = found[0]
            folders.append(_ENUMERATED.sub(VARIABLE, found[1]))
        else:
            folders.append(name)
    found = find_split(file.stem) if split else None
    stem = found[1] if found and found[0] == split else file.stem
    return Item(file, split, tuple(folders), stem)


def _keep_words_that_disagree(items: Iterable[Item]) -> None:
    """Undo splits taken from stems where other files of such a folder name another split.

    In `labels/val/a_train_id.png` the stem's word is no split.
    """
    alike: defaultdict[tuple[tuple[str, ...], str], list[Item]] = defaultdict(list)
    for item in items:
        alike[item.folders, item.file.suffix].append(item)
    for group in alike.values():
        found = [(item.split, find_split(item.file.stem)) for item in group]
        if any(split and said and said[0] != split for split, said in found):
            for item in group:
                item.stem = item.file.stem


def _find_splits_in_stems(items: Iterable[Item]) -> None:
    """Take names such as train_1 and test_1 for splits where all files of a folder have them."""
    by_folder: defaultdict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        if item.split is None:
            by_folder[item.folders].append(item)
    for group in by_folder.values():
        found = [find_split(item.stem) for item in group]
        if len({split for split, _ in filter(None, found)}) < 2 or None in found:
            continue
        for item, (split, stem) in zip(group, filter(None, found), strict=True):
            item.split, item.stem = split, stem


def _mark_crowds(items: Sequence[Item]) -> None:
    """Mark as variable what more than `CROWD` folders side by side are called."""
    for depth in range(max((len(item.folders) for item in items), default=0)):
        beside: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        deep = [item for item in items if len(item.folders) > depth]
        names = [_below_variable(item, depth) for item in deep]
        for item, name in zip(deep, names, strict=True):
            beside[item.template].add(name)
        for item, name in zip(deep, names, strict=True):
            is_crowd = len(beside[item.template]) > CROWD and "{" not in name
            item.template += (VARIABLE if is_crowd else name,)


def _below_variable(item: Item, depth: int) -> str:
    """Name a folder as its variable parent's name and the rest, where it begins with that."""
    name = item.folders[depth]
    if depth and item.template[-1] == VARIABLE:
        parent = item.folders[depth - 1]
        if len(parent) > 1 and name.startswith(parent):
            return SAME + name[len(parent) :]
    return name


def _units_of(items: Sequence[Item]) -> list[Unit]:
    by_place: defaultdict[tuple[tuple[str, ...], str], list[Item]] = defaultdict(list)
    for item in items:
        by_place[item.template, item.file.suffix].append(item)
    units: dict[tuple[tuple[str, ...], str, str], Unit] = {}
    for (template, suffix), group in by_place.items():
        shapes = _shapes_of(group)
        for item, shape in zip(group, shapes, strict=True):
            key = (template, suffix, shape)
            units.setdefault(key, Unit(key)).items.append(item)
    numbered = list(units.values())[:MAX_UNITS]
    rest = list(units.values())[MAX_UNITS:]
    if rest:  # so many kinds of folders are one kind
        numbered.append(Unit(((), "", ""), [item for unit in rest for item in unit.items]))
    for number, unit in enumerate(numbered):
        for item in unit.items:
            item.unit = number
    return numbered


def _shapes_of(items: Sequence[Item]) -> list[str]:
    """Name what the stems of a folder have before and behind their numbers, where that is a kind.

    Without numbers, the last word counts where many files have it or where it says mask or image.
    """
    shapes = [_shape(item.stem) for item in items]
    for part in (0, 1):  # the words before the number, then those behind it
        counts: defaultdict[str, int] = defaultdict(int)
        for shape in shapes:
            counts[shape[part]] += 1
        if len(counts) > MAX_SHAPES:
            kept = {text for text in counts if words_of(text) & (MASK_WORDS | IMAGE_WORDS)}
            kept = kept if len(kept) <= MAX_SHAPES else set()
            shapes = [
                (
                    shape[0] if part else shape[0] * (shape[0] in kept),
                    shape[1] * (shape[1] in kept) if part else shape[1],
                )
                for shape in shapes
            ]
    return ["#".join(shape) for shape in shapes]


def _shape(stem: str) -> tuple[str, str]:
    tokens = tokens_of(stem)
    at = [index for index, token in enumerate(tokens) if token[0].isdigit()]
    if at:
        return "".join(tokens[: at[0]]), "".join(tokens[at[-1] + 1 :])
    return "", tokens[-1]


def _looks_of(root: Path):
    def look(unit: Unit) -> dict[str, Look]:
        chosen = np.unique(np.linspace(0, len(unit.items) - 1, LOOKS_A_UNIT).round()).astype(int)
        paths = [unit.items[index].file.path for index in chosen.tolist()]
        looks = {path: look_at(root / path) for path in paths}
        return {path: look for path, look in looks.items() if look is not None}

    return look


def _unit_maskness(unit: Unit, *, by_words: bool) -> float:
    """Weigh looks and names."""
    seen = [look.maskness for look in unit.looks.values() if look.maskness is not None]
    by_pixels = float(np.clip(np.mean(seen), 0.03, 0.97)) if seen and not by_words else 0.5
    template, suffix, shape = unit.key
    words = mask_evidence("/".join((*template, shape.replace("#", "0"))))
    if suffix in (".jpg", ".jpeg"):
        words -= 0.3
    logit = math.log(by_pixels / (1 - by_pixels)) + WORD_WEIGHT * words
    return 1 / (1 + math.exp(-logit))


def _follow_majorities(units: Sequence[Unit]) -> None:
    """Take a few files among many in one folder for what these are, but for masks beside images."""
    beside: defaultdict[tuple[tuple[str, ...], str], list[Unit]] = defaultdict(list)
    for unit in units:
        beside[unit.key[0], unit.key[2]].append(unit)
    for group in beside.values():
        most = max(group, key=lambda unit: len(unit.items))
        stems = {(item.file.folders, item.stem) for item in most.items}
        for unit in group:
            own = {(item.file.folders, item.stem) for item in unit.items}
            if len(unit.items) <= FEW * len(most.items) and not own & stems:
                unit.maskness = most.maskness


def _merge_siblings(items: Sequence[Item], units: Sequence[Unit]) -> None:
    """Mark as variable what folders side by side are called that hold the same kinds of files."""
    roles = [unit.roles for unit in units]
    waiting: list[tuple[int, list[Item]]] = [(0, list(items))]
    while waiting:
        depth, group = waiting.pop()
        below: defaultdict[str, list[Item]] = defaultdict(list)
        for item in group:
            if len(item.template) > depth:
                below[item.template[depth]].append(item)
        merged = _merged_names(below, roles)
        _refer_to_above(below, merged, depth)
        for name, mark in merged.items():
            for item in below[name]:
                item.template = (*item.template[:depth], mark, *item.template[depth + 1 :])
        again: defaultdict[str, list[Item]] = defaultdict(list)
        for part in below.values():
            for item in part:
                again[item.template[depth]].append(item)
        waiting += [(depth + 1, part) for part in again.values()]


def _refer_to_above(below: dict[str, list[Item]], merged: dict[str, str], depth: int) -> None:
    """Write `images_C{=}` for the folders `C1/images_C1`, `C2/images_C2` below merged ones.

    `merged`, the mark of each folder, is narrowed to what the names do not have in common.
    """
    for mark in set(merged.values()):
        names = [name for name in merged if merged[name] == mark]
        star = _starred(names)
        inner = {
            (name, item.template[depth + 1]): _slot(star, name)
            for name in names
            for item in below[name]
            if len(item.template) > depth + 1
        }
        above_of: defaultdict[str, set[str]] = defaultdict(set)
        for (name, child), slot in inner.items():
            for text in {child, _with_same(child, slot)}:
                above_of[text].add(name)
        is_reference = {
            child: len(above_of[child]) == 1 < len(above_of[_with_same(child, slot)])
            for (_, child), slot in inner.items()
        }
        if not any(is_reference.values()):
            continue
        for name in names:
            merged[name] = star
            for item in below[name]:
                if len(item.template) > depth + 1 and is_reference[item.template[depth + 1]]:
                    text = _with_same(item.template[depth + 1], _slot(star, name))
                    item.template = (*item.template[: depth + 1], text, *item.template[depth + 2 :])


def _with_same(name: str, above: str) -> str:
    """Write `SAME` for what a name has in common with the folder above; only whole words are."""
    tokens = tokens_of(name)
    return "".join(SAME if token == above else token for token in tokens)


def _merged_names(below: dict[str, list[Item]], roles: Sequence[frozenset[Role]]) -> dict[str, str]:
    """Return a name with `*` for each folder's name that is merged with others."""
    kinds: defaultdict[frozenset[Role], list[str]] = defaultdict(list)
    for name, items in below.items():
        if name != VARIABLE and "{" not in name:
            held = [roles[item.unit] for item in items]
            sure = [kind for kind in held if len(kind) == 1]
            kinds[frozenset[Role]().union(*(sure or held))].append(name)
    groups = [names for names in kinds.values() if len(names) > 1]
    if VARIABLE in below or not groups:
        return {}
    if len(groups) == 1:
        return dict.fromkeys(groups[0], VARIABLE)
    stars = [_starred(names) for names in groups]
    if len(set(stars)) < len(stars):
        return {}
    return {name: star for names, star in zip(groups, stars, strict=True) for name in names}


def _starred(names: Sequence[str]) -> str:
    """Return what all names begin and end with, by whole words, with `*` between."""
    parts = [tuple(tokens_of(name)) for name in names]
    shortest = min(map(len, parts))
    begin = 0
    while begin < shortest - 1 and len({part[begin] for part in parts}) == 1:
        begin += 1
    end = 0
    while end < shortest - 1 - begin and len({part[-1 - end] for part in parts}) == 1:
        end += 1
    tail = "".join(parts[0][len(parts[0]) - end :]) if end else ""
    return "".join(parts[0][:begin]) + VARIABLE + tail


def _families_of(items: Sequence[Item], units: Sequence[Unit]) -> list[Family]:
    families: dict[tuple[tuple[str, ...], Role], Family] = {}
    for item in items:
        template = list(item.template)
        while template and template[-1] == VARIABLE:
            template.pop()
        slots = tuple(
            _slot(mark, name)
            for mark, name in zip(template, item.folders, strict=False)
            if VARIABLE in mark
        )
        member = Member(item, slots, item.folders[len(template) :])
        for role in units[item.unit].roles:
            key = (tuple(template), role)
            family = families.setdefault(key, Family(*key))
            family.members.append(member)
            family.maskness += units[item.unit].maskness
    _take_in_deeper(families)
    for family in families.values():
        family.maskness /= len(family.members)
        _tails_as_slots(family)
    return list(families.values())


def _tails_as_slots(family: Family) -> None:
    """Take the folders at the paths' ends for variable ones where all paths are as long."""
    lengths = {len(member.tail) for member in family.members}
    if len(lengths) == 1:
        family.template += (VARIABLE,) * lengths.pop()
        family.members = [Member(m.item, m.slots + m.tail, ()) for m in family.members]


def _take_in_deeper(families: dict[tuple[tuple[str, ...], Role], Family]) -> None:
    """Unite files that lie at different depths below the same folders."""
    for (template, role), family in list(families.items()):
        at = next((n for n, mark in enumerate(template) if VARIABLE in mark), len(template))
        upper = families.get((template[:at], role))
        if at == len(template) or upper is None or any("{" in mark for mark in template[at:]):
            continue
        del families[template, role]
        upper.maskness += family.maskness
        upper.members += [Member(m.item, (), m.item.folders[at:]) for m in family.members]


def _slot(mark: str, name: str) -> str:
    """Return what stands for the `*` of a template in a folder's name."""
    begin, _, end = mark.partition(VARIABLE)
    return name[len(begin) : len(name) - len(end)]
