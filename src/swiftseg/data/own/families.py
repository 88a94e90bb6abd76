"""The files of a tree sorted into families: pictures or masks that lie and are named alike."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from swiftseg.core.in_threads import in_threads
from swiftseg.data.own.file_tree import FileTree
from swiftseg.data.own.items import VARIABLE, Item, items_of
from swiftseg.data.own.look import Look, look_at
from swiftseg.data.own.merging import Role, merge_siblings, slot_of
from swiftseg.data.own.words import (
    IMAGE_WORDS,
    MASK_WORDS,
    mask_evidence,
    tokens_of,
    words_of,
)

LOOKS_A_UNIT = 5
MAX_UNITS = 400
MAX_SHAPES = 24
WORD_WEIGHT = 1.2
UNDECIDED = (0.4, 0.6)
FEW = 0.25
MIN_NAMESAKES = 3


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
    def evidence(self) -> float:
        """How much the names of folders and files speak for masks, or below 0 for pictures."""
        template, _, shape = self.key
        return mask_evidence("/".join((*template, shape.replace("#", "0"))))

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
    items = items_of(tree.images)
    units = _units_of(items)
    for unit, looks in zip(units, in_threads(_looks_of(tree.root), units), strict=True):
        unit.looks = looks
        unit.maskness = _unit_maskness(unit, by_words=by_words)
    _follow_namesakes(units)
    _follow_majorities(units)
    merge_siblings(items, [unit.roles for unit in units])
    return _families_of(items, units), units


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
    """Name what stems have before, amid and behind their numbers, where that is a kind.

    Without numbers, the last word counts where many files have it or where it says mask or image.
    """
    shapes = [_shape(item.stem) for item in items]
    kept = [_kinds_of([shape[part] for shape in shapes]) for part in range(3)]
    named = ["#".join(text * (text in k) for text, k in zip(s, kept, strict=True)) for s in shapes]
    return [name.replace("##", "#") for name in named]


def _kinds_of(texts: Sequence[str]) -> set[str]:
    """Return the texts that are kinds: of very many, those that say mask or image."""
    kinds = set(texts)
    if len(kinds) <= MAX_SHAPES:
        return kinds
    kinds = {text for text in kinds if words_of(text) & (MASK_WORDS | IMAGE_WORDS)}
    return kinds if len(kinds) <= MAX_SHAPES else set()


def _shape(stem: str) -> tuple[str, str, str]:
    tokens = tokens_of(stem)
    at = [index for index, token in enumerate(tokens) if token[0].isdigit()]
    if not at:
        return "", "", tokens[-1]
    first, last = at[0], at[-1]
    amid = [token for token in tokens[first:last] if token.isalpha()]
    return "".join(tokens[:first]), "_".join(amid), "".join(tokens[last + 1 :])


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
    suffix, words = unit.key[1], unit.evidence
    if by_words and words <= 0:
        return 0.0  # where pixels say photograph, a mask has to be called one
    if suffix in (".jpg", ".jpeg"):
        words -= 0.3
    logit = math.log(by_pixels / (1 - by_pixels)) + WORD_WEIGHT * words
    return 1 / (1 + math.exp(-logit))


def _follow_namesakes(units: Sequence[Unit]) -> None:
    """Take files whose pixels tell nothing, such as empty masks, for what those of their names are.

    Where a folder is a sample these lie in many others; where folders' names tell, they have it.
    """
    told: defaultdict[tuple[int, str, str], list[float]] = defaultdict(list)
    untold: list[Unit] = []
    for unit in units:
        if any(look.maskness is not None for look in unit.looks.values()):
            told[_names_of(unit)].append(unit.maskness)
        elif unit.looks and not unit.evidence:
            untold.append(unit)
    for unit in untold:
        namesakes = told[_names_of(unit)]
        if len(namesakes) >= MIN_NAMESAKES:
            unit.maskness = float(np.mean(namesakes))


def _names_of(unit: Unit) -> tuple[int, str, str]:
    template, suffix, shape = unit.key
    return len(template), suffix, shape


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


def _families_of(items: Sequence[Item], units: Sequence[Unit]) -> list[Family]:
    families: dict[tuple[tuple[str, ...], Role], Family] = {}
    for item in items:
        template = list(item.template)
        while template and template[-1] == VARIABLE:
            template.pop()
        slots = tuple(
            slot_of(mark, name)
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
