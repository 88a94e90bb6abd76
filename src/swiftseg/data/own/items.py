"""The files of a tree with what their paths tell: the split, and which folders vary."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from swiftseg.data.own.file_tree import TreeFile
from swiftseg.data.own.words import SHORT_SPLIT_WORDS, find_split, single_words

VARIABLE = "*"  # a folder's name that differs from sample to sample, in a template
SAME = "{=}"  # in a template: the name of the folder above, again
CROWD = 20  # more folders side by side than there are kinds of data
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


def items_of(files: Sequence[TreeFile]) -> list[Item]:
    """Find the splits that paths name, and the folders of which there are crowds."""
    items = _items(files)
    _keep_words_that_disagree(items)
    _find_splits_in_stems(items)
    _mark_crowds(items)
    return items


def _items(files: Sequence[TreeFile]) -> list[Item]:
    """Find the splits that paths name.

    A folder of val that stands beside others, and beside no training, is no split: what lies there
    is valid, and the rest is not.
    """
    words = {word for file in files for name in file.folders for word in single_words(name)}
    short = "tr" in words and bool(words & SHORT_SPLIT_WORDS - {"tr"})
    forks = _forks(files, short=short)
    items = [_item(file, forks, short=short) for file in files]
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


def _forks(files: Iterable[TreeFile], *, short: bool) -> set[tuple[str, ...]]:
    """Return the folders that hold folders of several splits."""
    splits: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for folders in {file.folders for file in files}:
        for depth, name in enumerate(folders):
            if found := find_split(name, short=short):
                splits[folders[:depth]].add(found[0])
    return {above for above, found in splits.items() if len(found) > 1}


def _item(file: TreeFile, forks: Collection[tuple[str, ...]], *, short: bool = False) -> Item:
    """Find the split that a path names: in its folders, and in its stem where they agree.

    Of several the last one counts that lies beside another: `train/images/validation` is val.
    """
    named = [find_split(name, short=short) for name in file.folders]
    at_forks = [found for at, found in enumerate(named) if found and file.folders[:at] in forks]
    split = at_forks[-1][0] if at_forks else None
    folders: list[str] = []
    for name, found in zip(file.folders, named, strict=True):
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
