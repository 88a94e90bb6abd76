"""How much pixels, names and sizes speak for a hypothesis."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import TypeVar

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.images.array_file import ARRAY_SUFFIXES, read_array
from swiftseg.data.images.header import is_gray, read_header
from swiftseg.data.images.image_file import read_values
from swiftseg.data.own.families import Member, Unit
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.look import Look, look_at
from swiftseg.data.own.merging import Role
from swiftseg.data.own.propose import propose
from swiftseg.data.own.survey import MaskTotals, survey_mask
from swiftseg.data.own.words import mask_evidence, picture_share, side_share
from swiftseg.data.paired_files import are_proportional

Entry = TypeVar("Entry")

PROBES = 10  # pairs whose pixels are looked at
READ_PROBES = 3  # of them whose masks are read: one alone may be damaged
GRAY_PROBES, GRAY_SHARE = 3, 0.9  # what pictures lose for being gray, beside others in color
FEW_VALUES = 3
MANY_VALUES = 32  # of classes in a part of a mask; what holds more is read whole
BLACK = 24  # of 255; what lies outside a lens is no brighter
FIXED_OVERLAP = 0.93  # masks that overlap more than this are one mask: a field of view


class Looker:
    """Looks at files, each once."""

    def __init__(self, root: Path, units: Iterable[Unit]) -> None:
        self.root = root
        self.known: dict[str, Look | None] = {}
        self.readable: dict[str, bool] = {}
        self.photographs: dict[str, bool] = {}
        self.files: set[str] = set()
        self.pictures: set[str] = set()
        self.roles_below: defaultdict[tuple[str, ...], set[Role]] = defaultdict(set)
        for unit in units:
            self.known.update(unit.looks)
            paths = {item.file.path for item in unit.items}
            self.files |= paths
            self.pictures |= set[str]() if "mask" in unit.roles else paths
            for folders in {item.file.folders for item in unit.items if len(unit.roles) == 1}:
                for depth in range(1, len(folders) + 1):
                    self.roles_below[folders[:depth]] |= unit.roles

    def look(self, path: str) -> Look | None:
        if path not in self.known:
            self.known[path] = look_at(self.root / path)
        return self.known[path]

    def can_be_mask(self, path: str) -> bool:
        """Whether a mask can be read from a file; arrays and files of many bands may hold none."""
        if path not in self.readable:
            self.readable[path] = _holds_mask(self.root / path)
        return self.readable[path]

    def is_photograph(self, path: str) -> bool:
        """Whether a file that seems to be a mask holds no few values that make up most of it."""
        look = self.look(path)
        is_lossy = path.lower().endswith((".jpg", ".jpeg"))
        if look is None or not (is_lossy or look.num_values > MANY_VALUES):
            return False
        if path not in self.photographs:
            self.photographs[path] = _are_photographs([self.root / path])
        return self.photographs[path]

    def are_photographs(self, paths: Sequence[str]) -> bool:
        """Whether files are photographs each, and so all together, where colors count more."""
        return all(map(self.is_photograph, paths[:READ_PROBES])) and _are_photographs(
            [self.root / path for path in paths]
        )

    def is_nearer_to_another(self, picture: Member, mask: Member) -> bool:
        """Whether an image of the same name lies where the mask does: in its scene, not another."""
        folders, of_mask = picture.item.file.folders, mask.item.file.folders
        name = picture.item.file.path.rpartition("/")[2]
        for at, other in product(range(len(folders)), set(of_mask) - set(folders)):
            swapped = "/".join((*folders[:at], other, *folders[at + 1 :], name))
            known = self.files if of_mask[at : at + 1] == (other,) else self.pictures
            if swapped in known and swapped != mask.item.file.path:
                return True
        return False

    def is_of_another_set(self, picture: Member, mask: Member) -> bool:
        """Whether an image and a mask lie in two folders that both hold images and masks."""
        folders = picture.item.file.folders, mask.item.file.folders
        for at, (one, other) in enumerate(zip(*folders, strict=False)):
            if one != other:
                return all(len(self.roles_below[path[: at + 1]]) > 1 for path in folders)
        return False

    def sizes_hw(self, path: str) -> set[tuple[int, int]]:
        """Return the size of a file's image as stored and as shown; nothing if unreadable."""
        place = self.root / path
        try:
            if place.suffix.lower() in ARRAY_SUFFIXES:
                return {_array_hw(place)}
            header = read_header(place)
        except SwiftsegError:
            return set()
        return {header.size_hw, header.shown_hw}


def _holds_mask(path: Path) -> bool:
    try:
        if path.suffix.lower() in ARRAY_SUFFIXES:
            read_array(path)
        elif (kind := read_header(path).kind)[0] not in (1, 3) or kind[1].startswith("float"):
            read_values(path)
    except SwiftsegError:
        return False
    return True


def _are_photographs(paths: Sequence[Path]) -> bool:
    totals = MaskTotals()
    try:
        for path in paths:
            totals.add(survey_mask(path))
    except SwiftsegError:
        return False  # it is not this that speaks against them
    return any(finding.code == "not_masks" for finding in propose(totals).findings)


def _array_hw(path: Path) -> tuple[int, int]:
    try:
        shape = read_array(path).shape
    except SwiftsegError:  # no mask; a picture of bands
        return read_header(path).size_hw
    return shape[0], shape[1]


def judge(hypothesis: Hypothesis, looker: Looker) -> None:
    """Weigh looks, names and sizes of some pairs."""
    probes = evenly(hypothesis.pairs, PROBES)
    mask_looks = [looker.look(masks[0].item.file.path) for _, masks in probes]
    known = [look for look in mask_looks if look is not None]
    paths = [masks[0].item.file.path for _, masks in probes]
    name = paths[0].rpartition(".")[0]
    quality = max(1 - hypothesis.pictures.maskness, 0.15) * max(hypothesis.masks.maskness, 0.1)
    quality *= picture_share(probes[0][0].item.file.path.rpartition(".")[0])
    if all(is_gray(looker.root / picture.item.file.path) for picture, _ in probes[:GRAY_PROBES]):
        quality *= GRAY_SHARE
    quality *= side_share(name) * (1 + 0.05 * np.clip(mask_evidence(name), -2, 2))
    quality *= 0.2 + 0.8 * _size_agreement(probes, looker)
    if not any(looker.can_be_mask(path) for path in paths[:READ_PROBES]):
        quality *= 0.3
    if hypothesis.parts == "one" and _is_field_of_view(known):
        quality *= 0.1
    if hypothesis.parts == "one" and _show_what_is_lit(probes, looker):
        quality *= 0.6
    if looker.are_photographs(paths):
        quality *= 0.1
    if hypothesis.parts == "one" and _are_of_one_value(known):
        quality *= 0.1 if known[0].gray.any() else 0.5  # without any defect masks are empty
    if any(looker.is_nearer_to_another(picture, mask) for picture, ms in probes for mask in ms):
        quality *= 0.1
    if all(looker.is_of_another_set(picture, masks[0]) for picture, masks in probes):
        quality *= 0.5
    if _are_counted_apart(hypothesis):
        quality *= 0.3
    hypothesis.quality = float(quality) * (1.1 if hypothesis.parts != "one" else 1.0)
    hypothesis.num_values = float(np.mean([look.num_values for look in known])) if known else 0.0


def _are_counted_apart(hypothesis: Hypothesis) -> bool:
    """Whether images and masks of one folder differ in a number alone: two scenes, most likely."""
    ends = hypothesis.picture_form.after, hypothesis.mask_form.after
    without_digits = {re.sub(r"\d", "", end) for end in ends}
    are_beside = hypothesis.pictures.template == hypothesis.masks.template
    return are_beside and ends[0] != ends[1] and len(without_digits) == 1


def _size_agreement(probes: Sequence[tuple[Member, list[Member]]], looker: Looker) -> float:
    """Return the mean over pairs: 1 for one size, 0.95 for one proportion, 0 for others."""
    agreed: list[float] = []
    for picture, masks in probes:
        sizes = looker.sizes_hw(picture.item.file.path)
        others = looker.sizes_hw(masks[0].item.file.path)
        if sizes and others:
            same = any(are_proportional(a, b) for a in sizes for b in others)
            agreed.append(1.0 if sizes & others else 0.95 if same else 0.0)
    return float(np.mean(agreed)) if agreed else 1.0


def _are_of_one_value(looks: Sequence[Look]) -> bool:
    """Whether all masks hold the same single value, and so tell nothing apart."""
    is_single = {look.num_values for look in looks} == {1}
    return len(looks) > 2 and is_single and len({look.digest for look in looks}) == 1


def _is_field_of_view(looks: Sequence[Look]) -> bool:
    """Whether all masks are nearly the same: they show the camera's field of view, no classes."""
    if any(look.num_values > FEW_VALUES for look in looks):
        return False  # masks of classes, alike as neighboring frames of a drive are
    shown = [look.foreground for look in looks if look.num_values > 1]
    if len(shown) < 3 or (len({look.digest for look in looks}) < 2 and len(looks) < 4):
        return False
    overlaps = [overlap(a, b) for a, b in pairwise(shown) if a.shape == b.shape]
    return min(overlaps) > FIXED_OVERLAP


def _show_what_is_lit(probes: Sequence[tuple[Member, list[Member]]], looker: Looker) -> bool:
    """Whether masks show where their images are not black: the field of view of a lens."""
    shares: list[float] = []
    for picture, masks in evenly(probes, GRAY_PROBES):
        seen, mask = (looker.look(one.item.file.path) for one in (picture, masks[0]))
        if seen is None or mask is None or mask.num_values != 2:
            return False
        lit = seen.gray > BLACK
        if not 0.3 < lit.mean() < 1:
            return False
        share = float((lit == mask.foreground).mean())
        shares.append(max(share, 1 - share))
    return min(shares, default=0.0) > FIXED_OVERLAP


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over union of two bool arrays."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def evenly(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Return some entries, evenly spaced."""
    chosen = np.unique(np.linspace(0, len(entries) - 1, min(count, len(entries))).round())
    return [entries[index] for index in chosen.astype(int).tolist()]
