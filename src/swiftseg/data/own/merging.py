"""Folders side by side that hold the same kinds of files are merged: their names are variable."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from swiftseg.data.own.items import SAME, VARIABLE, Item
from swiftseg.data.own.words import tokens_of

Role = Literal["picture", "mask"]


def merge_siblings(items: Sequence[Item], roles: Sequence[frozenset[Role]]) -> None:
    """Mark as variable what folders side by side are called that hold the same kinds of files."""
    waiting: list[tuple[int, list[Item]]] = [(0, list(items))]
    while waiting:
        depth, group = waiting.pop()
        below: defaultdict[str, list[Item]] = defaultdict(list)
        for item in group:
            if len(item.template) > depth:
                below[item.template[depth]].append(item)
        merged = _merged_names(below, roles, depth)
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
            (name, item.template[depth + 1]): slot_of(star, name)
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
                    text = _with_same(item.template[depth + 1], slot_of(star, name))
                    item.template = (*item.template[: depth + 1], text, *item.template[depth + 2 :])


def _with_same(name: str, above: str) -> str:
    """Write `SAME` for what a name has in common with the folder above; only whole words are."""
    tokens = tokens_of(name)
    return "".join(SAME if token == above else token for token in tokens)


def _merged_names(
    below: dict[str, list[Item]], roles: Sequence[frozenset[Role]], depth: int
) -> dict[str, str]:
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
        samples = _samples(below, kinds, depth)
        return dict.fromkeys(samples, VARIABLE)
    return {name: star for names, star in zip(groups, stars, strict=True) for name in names}


def _samples(
    below: dict[str, list[Item]], kinds: dict[frozenset[Role], list[str]], depth: int
) -> list[str]:
    """Return folders of a sample each, where some of them lack the masks; none where it is not so.

    All have the same folders within them, but for those of the masks.
    """
    both, alone = frozenset[Role](("picture", "mask")), frozenset[Role](("picture",))
    if kinds.keys() != {both, alone}:
        return []
    within = {
        kind: {item.template[depth + 1 :][:1] for name in names for item in below[name]}
        for kind, names in kinds.items()
    }
    return kinds[both] + kinds[alone] if within[alone] < within[both] else []


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


def slot_of(mark: str, name: str) -> str:
    """Return what stands for the `*` of a template in a folder's name."""
    begin, _, end = mark.partition(VARIABLE)
    return name[len(begin) : len(name) - len(end)]
