"""The split that is made where there is none."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from swiftseg.core.shown_text import utf8
from swiftseg.data.own.tree_reading import UNSPLIT
from swiftseg.data.paired_files import Pair

VAL_SHARE = 0.2
MIN_GROUPS = 10
MAX_GROUP_SHARE = 0.1  # a larger group would decide the split alone


def hold_out_val(splits: Mapping[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Add the splits train and val where there is no val: a fifth of the pairs, at least one.

    Names decide, by their hash: the same files give the same split on every machine, and a file
    that is added moves few others. Pairs whose names differ only in their last number are cut from
    one picture or filmed in one place; where there are enough such groups they stay together.
    """
    base = splits.get("train", splits.get(UNSPLIT, []))
    if "val" in splits or len(base) < 2:
        return dict(splits)
    count = max(1, round(VAL_SHARE * len(base)))
    groups = groups_of(base)
    held_out: set[str] = set()
    for key in sorted(groups, key=lambda key: hashlib.sha256(utf8(key)).digest()):
        names = [pair.name for pair in groups[key]]
        if len(held_out) + len(names) <= count or not held_out:
            held_out.update(names)
        if len(held_out) >= count:
            break
    return {
        **splits,
        "train": [pair for pair in base if pair.name not in held_out],
        "val": [pair for pair in base if pair.name in held_out],
    }


def groups_of(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Group pairs by their names up to the last number; each is its own group if that is no help.

    It is none where there are few groups, or where one of them holds a large part of the pairs.
    """
    groups: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[re.sub(r"[_\-. ]?\d+$", "", pair.name)].append(pair)
    largest = max(map(len, groups.values()), default=0)
    if len(groups) < MIN_GROUPS or largest > max(2, MAX_GROUP_SHARE * len(pairs)):
        return {pair.name: [pair] for pair in pairs}
    return groups
