"""The part of the examination that is cheap enough for the start of every training."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.doctor.collector import Collector
from swiftseg.data.doctor.pair_facts import examine_pair
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.in_threads import in_threads
from swiftseg.data.own.own_data import OwnData
from swiftseg.data.paired_files import Pair

# EXIF's orientations that lay an image on its side, and the tag that holds them.
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)


def check_structure(
    own: OwnData, advance: Callable[[], None] = lambda: None
) -> tuple[Finding, ...]:
    """Finds what does not pair up, cannot be opened, or differs in size, by the files' headers.

    Args:
        own: The data.
        advance: Called after each pair.
    """
    collector = Collector()
    for finding in (*own.findings, *too_few(own)):
        collector.add(finding)
    looks_odd = in_threads(_looks_odd, own.pairs)
    for pair, is_odd in zip(own.pairs, looks_odd, strict=True):
        if is_odd:
            for finding in examine_pair(pair).findings:
                collector.add(finding)
        advance()
    return collector.findings()


def too_few(own: OwnData) -> list[Finding]:
    """Finds that a training has nothing to learn from or to be scored on."""
    needed = {"train", "val"} & own.splits.keys() == {"train", "val"}
    if needed or len(own.pairs) != 1:
        return []
    message = f"{own.source}: 1 pair of image and mask; training and validation need 2 or more"
    return [Finding("broken", "too_few", message)]


def _looks_odd(pair: Pair) -> bool:
    """Tells whether the headers give reason to read the files; only reading gives the words."""
    try:
        return _header_hw(pair.image, is_upright=True) != _header_hw(pair.mask, is_upright=False)
    except (OSError, ValueError, SyntaxError, SwiftsegError, Image.DecompressionBombError):
        return True


def _header_hw(path: Path, *, is_upright: bool) -> tuple[int, int]:
    with Image.open(path) as image:
        width, height = image.size
        if is_upright and image.getexif().get(ORIENTATION) in SIDEWAYS:
            return width, height
        return height, width
