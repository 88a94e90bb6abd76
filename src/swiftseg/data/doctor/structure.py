"""The part of the examination that is cheap enough for the start of every training."""

from collections.abc import Callable
from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.core.in_threads import in_threads
from swiftseg.data.doctor.pair_facts import examine_pair, kind_findings
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, read_array
from swiftseg.data.images.header import read_header
from swiftseg.data.images.joined_bands import joined_header
from swiftseg.data.own.finding import Collector, Finding
from swiftseg.data.own.own_data import OwnData
from swiftseg.data.paired_files import Pair


def check_structure(
    own: OwnData, advance: Callable[[], None] = lambda: None
) -> tuple[Finding, ...]:
    """Find what does not pair up, cannot be opened, or differs in size, by the files' headers."""
    collector = Collector()
    for finding in (*own.findings, *too_few(own)):
        collector.add(finding)
    resize_masks = own.file is None or own.file.resize_masks
    kinds: dict[tuple[int, str], list[Path]] = {}
    for pair, kind in zip(own.pairs, in_threads(_usual_kind, own.pairs), strict=True):
        if kind is not None:
            kinds.setdefault(kind, []).append(pair.image)
        else:
            for finding in examine_pair(pair, resize_masks=resize_masks).findings:
                collector.add(finding)
        advance()
    for finding in kind_findings(kinds):
        collector.add(finding)
    return collector.findings()


def too_few(own: OwnData) -> list[Finding]:
    """Find that a training has nothing to learn from or to be scored on."""
    needed = {"train", "val"} & own.splits.keys() == {"train", "val"}
    if needed or len(own.pairs) != 1:
        return []
    message = f"{own.source}: 1 pair of image and mask; training and validation need 2 or more"
    return [Finding("broken", "too_few", message)]


def _usual_kind(pair: Pair) -> tuple[int, str] | None:
    """Return the image's bands and type; None where the headers give reason to read the files."""
    try:
        header = joined_header(pair.bands) if pair.bands else read_header(pair.image)
        return header.kind if header and header.shown_hw == _mask_hw(pair.mask) else None
    except SwiftsegError:
        return None  # only reading gives the words


def _mask_hw(path: Path) -> tuple[int, ...]:
    if path.suffix.lower() in ARRAY_SUFFIXES:
        return read_array(path).shape[:2]
    return read_header(path).size_hw
