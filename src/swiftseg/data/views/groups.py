"""Groups of frames that belong together, such as the sequences of a drive or the frames of a city.

Neighboring frames look alike: a network is scored honestly on frames of a group that it has seen
nothing of. A group is named by what its frames' names begin with, up to a `_` or a folder's `/`:
CamVid's sequence `0016E5` holds `0016E5_00390`, Cityscapes' city `aachen` holds
`aachen_000000_000019`, and a folder `night` in a list of pairs holds `night/0001`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.shown_text import utf8
from swiftseg.data.dataset import Dataset
from swiftseg.data.paired_files import PairedFiles

SEPARATOR = re.compile("[_/]")
SHOWN_GROUPS = 20


def has_group(dataset: Dataset, group: str) -> bool:
    """Whether some frames of a data set belong to a group."""
    return isinstance(dataset, PairedFiles) and any(
        is_in_group(pair.name, group) for pair in dataset.pairs
    )


def hold_out(dataset: Dataset, group: str) -> tuple[PairedFiles, PairedFiles]:
    """Divide a data set into the frames outside of a group and those of the group.

    Raises:
        SwiftsegError: The data are not files, which alone have groups; or all of them are in it.
        UsageError: There is no such group.
    """
    if not isinstance(dataset, PairedFiles):
        raise SwiftsegError(f"cannot hold out {group!r}: only data that lie in files have groups")
    held_out = [pair for pair in dataset.pairs if is_in_group(pair.name, group)]
    rest = [pair for pair in dataset.pairs if not is_in_group(pair.name, group)]
    if not held_out or not rest:
        problem = "holds all frames" if held_out else "does not exist"
        groups = group_counts(pair.name for pair in dataset.pairs)
        raise UsageError(f"the group {group!r} {problem}; {groups_text(groups)}")
    return (
        dataset.with_pairs(rest),
        dataset.with_pairs(held_out),
    )


def hold_out_share(dataset: Dataset, share: float) -> tuple[PairedFiles, PairedFiles]:
    """Divide a data set into frames to learn from and whole groups of about `share` of its frames.

    Here a group is what a name begins with up to its last `_` or `/`: a drive, a place. Groups are
    taken in an order that only their names decide, as long as they fit, so that the same frames are
    held out wherever the data lie. A name without either is a group of its own.

    Raises:
        SwiftsegError: The data are not files, or no group fits.
    """
    if not isinstance(dataset, PairedFiles):
        raise SwiftsegError("cannot hold out a share: only data that lie in files have groups")
    room = round(share * len(dataset))
    counts = Counter(innermost_group(pair.name) for pair in dataset.pairs)
    held_out: set[str] = set()
    for group in sorted(counts, key=lambda name: hashlib.sha256(utf8(name)).digest()):
        if counts[group] <= room:
            held_out.add(group)
            room -= counts[group]
    rest = [pair for pair in dataset.pairs if innermost_group(pair.name) not in held_out]
    if not held_out or not rest:
        raise SwiftsegError(
            f"cannot hold out {share:g} of {len(dataset)} frames: every group is larger; "
            f"{groups_text(dict(counts))}"
        )
    chosen = [pair for pair in dataset.pairs if innermost_group(pair.name) in held_out]
    return dataset.with_pairs(rest), dataset.with_pairs(chosen)


def innermost_group(name: str) -> str:
    *_, end = (len(name), *(at.start() for at in SEPARATOR.finditer(name)))
    return name[:end]


def is_in_group(name: str, group: str) -> bool:
    return name.startswith(group) and SEPARATOR.match(name, len(group)) is not None


def group_counts(names: Iterable[str]) -> dict[str, int]:
    """Count the frames of each group, for the shortest beginnings of names that tell any apart."""
    beginnings = [[name[: at.start()] for at in SEPARATOR.finditer(name)] for name in names]
    for depth in range(max(map(len, beginnings), default=0)):
        counts = Counter(groups[depth] for groups in beginnings if depth < len(groups))
        if len(counts) > 1:
            return dict(sorted(counts.items()))
    return {}


def groups_text(groups: dict[str, int]) -> str:
    """List groups with their sizes, for an error."""
    if not groups:
        return "the frames have none, as their names do not differ before the last _ or /"
    shown = [f"{name} ({count} frames)" for name, count in list(groups.items())[:SHOWN_GROUPS]]
    more = f" and {len(groups) - SHOWN_GROUPS} more" if len(groups) > SHOWN_GROUPS else ""
    return f"choose from {', '.join(shown)}{more}"
