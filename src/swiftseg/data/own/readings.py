"""The readings of a folder that nobody has described, the likeliest first."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.images.header import read_header
from swiftseg.data.own.bands_apart import BandsApart, find_joinable, with_bands
from swiftseg.data.own.families import Member, Unit, sort_files
from swiftseg.data.own.file_tree import FileTree, walk_tree
from swiftseg.data.own.forms import key_of
from swiftseg.data.own.hypotheses import find_hypotheses
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.judging import PROBES, Looker, evenly, overlap
from swiftseg.data.own.survey import survey_mask
from swiftseg.data.own.tree_reading import UNSPLIT, Reading, patterns_of, read_by_patterns
from swiftseg.data.own.words import IMAGE_WORDS, MASK_WORDS, tokens_of, words_of

MAX_READINGS = 5
MIN_COMPLEMENT = 0.7  # of the best reading's quality, for others' pairs to be added to it
FEW_PAIRS = 0.2  # of its pairs
SAME_VIEW = 0.5  # of the overlap of masks; those of two scenes overlap by chance
LEAST_SCORE = 0.2  # of the best reading's, for another to be shown
MIN_JOINED = 0.5  # of the pairs before: with a mask for each band they would be a third at most


def find_readings(root: Path, asked_for: int = 1) -> tuple[list[Reading], FileTree]:
    """Walk a folder and return its readings, the best first; none where nothing pairs up.

    Only the one that is asked for, counted from 1, keeps its pairs. Bands that are files of their
    own are joined where the images would be of one band, and where not each band has a mask.
    """
    tree = walk_tree(root)
    readings = _readings_of(tree, asked_for)
    codes = {finding.code for finding in readings[0].findings} if readings else {"bands_apart"}
    if "bands_apart" in codes or readings[0].has_gray_images:
        apart = find_joinable(root, (file.path for file in tree.images))
        joined = _with_bands_joined(tree, apart, asked_for) if apart else []
        before = readings[0].num_pairs if readings else 0
        if joined and joined[0].num_pairs >= MIN_JOINED * before:
            return joined, tree
    return readings, tree


def _with_bands_joined(tree: FileTree, apart: BandsApart, asked_for: int) -> list[Reading]:
    """Read a tree by the first band of each picture, and then by all of them."""
    bands = {path for of_picture in apart.pictures for path in of_picture.values()}
    hidden = bands - {of_picture.get(apart.bands[0]) for of_picture in apart.pictures}
    shown = replace(tree, images=[file for file in tree.images if file.path not in hidden])
    joined: list[Reading] = []
    files = {tree.root / path for path in bands}
    for first in _readings_of(shown, asked_for):
        images = [with_bands(text, apart.bands) for text in first.images]
        reading = read_by_patterns(tree, images, first.masks, first.parts, score=first.score)
        pairs = [pair for of_split in reading.splits.values() for pair in of_split]
        has_a_mask_each = any(pair.mask in files for pair in pairs)
        if any(pair.bands for pair in pairs) and not has_a_mask_each:
            is_asked = len(joined) + 1 == asked_for
            joined.append(reading if is_asked else replace(reading, splits={}))
    return joined


def _readings_of(tree: FileTree, asked_for: int) -> list[Reading]:
    """Return the readings of the files of a tree, as `find_readings` does."""
    for by_words in (False, True):
        families, units = sort_files(tree, by_words=by_words)
        looker = Looker(tree.root, units)
        hypotheses = find_hypotheses(families, looker)
        readings = _distinct(hypotheses, tree, units, looker, asked_for)
        if readings:
            return readings
    return []


def _distinct(
    hypotheses: Sequence[Hypothesis],
    tree: FileTree,
    units: Sequence[Unit],
    looker: Looker,
    asked_for: int,
) -> list[Reading]:
    """Make readings of the best hypotheses; those that say the same files are one."""
    readings: list[Reading] = []
    seen: set[frozenset[Path]] = set()
    for hypothesis in hypotheses:
        if readings and hypothesis.score < LEAST_SCORE * readings[0].score:
            break
        images, masks = patterns_of(hypothesis)
        try:
            reading = read_by_patterns(
                tree, images, masks, hypothesis.parts, score=hypothesis.score, units=units
            )
        except SwiftsegError:
            continue  # names with braces, which no pattern can hold
        if reading.num_pairs and not readings and not hypothesis.has_copies:
            reading = _completed(hypothesis, reading, hypotheses, tree, units, looker)
        used = frozenset(pair.mask for pairs in reading.splits.values() for pair in pairs)
        if used and used not in seen and not any(used <= other for other in seen):
            seen.add(used)
            is_asked = len(readings) + 1 == asked_for
            readings.append(reading if is_asked else replace(reading, splits={}))
        if len(readings) == MAX_READINGS:
            break
    return readings


def _completed(
    best: Hypothesis,
    reading: Reading,
    hypotheses: Sequence[Hypothesis],
    tree: FileTree,
    units: Sequence[Unit],
    looker: Looker,
) -> Reading:
    """Add to the best reading the pairs of others whose files it does not use."""
    used = _paths_of(best)
    kind = _kind_of(best, tree)
    others = [
        (other, patterns_of(other))
        for other in hypotheses
        if _is_complement(best, other, looker) and _kind_of(other, tree) == kind
    ]
    named = words_of("/".join(reading.masks))
    # Those whose masks are named as the best one's come first: cup and disc are not the same.
    others.sort(key=lambda entry: -len(named & words_of("/".join(entry[1][1]))))
    for other, new in others:
        paths = _paths_of(other)
        if used & paths:
            continue
        patterns = zip((reading.images, reading.masks), new, strict=True)
        images, masks = (list(dict.fromkeys((*known, *more))) for known, more in patterns)
        try:
            joined = read_by_patterns(
                tree, images, masks, best.parts, score=reading.score + other.score, units=units
            )
        except SwiftsegError:
            continue
        is_sum = joined.num_pairs == reading.num_pairs + len(other.pairs)
        # What is in no split is learned from only where no split is: it would be lost.
        is_lost = UNSPLIT in joined.splits and not {"train", "val"}.isdisjoint(joined.splits)
        is_broken = any(finding.severity == "broken" for finding in joined.findings)
        if is_sum and not is_lost and not is_broken:
            reading, used = joined, used | paths
    return reading


def _paths_of(hypothesis: Hypothesis) -> set[str]:
    """Return the paths of the images and masks that belong together."""
    return {
        member.item.file.path for picture, masks in hypothesis.pairs for member in (picture, *masks)
    }


def _kind_of(hypothesis: Hypothesis, tree: FileTree) -> tuple[object, ...] | None:
    """Return the first image's bands, their type, and whether its mask holds values or colors.

    None where one of the two cannot be read.
    """
    picture, masks = hypothesis.pairs[0]
    try:
        bands = read_header(tree.root / picture.item.file.path).kind
        return *bands, survey_mask(tree.root / masks[0].item.file.path).kind
    except SwiftsegError:
        return None


def _is_complement(best: Hypothesis, other: Hypothesis, looker: Looker) -> bool:
    """Whether another hypothesis may pair further images with masks of the same classes."""
    return (
        best.parts == other.parts == "one"
        and other.quality > MIN_COMPLEMENT * best.quality
        and len(other.pairs) > FEW_PAIRS * len(best.pairs)
        and all((best.num_values > n) == (other.num_values > n) for n in (2, 3))
        and not _are_same_views(best, other, looker)
    )


def _are_same_views(best: Hypothesis, other: Hypothesis, looker: Looker) -> bool:
    """Whether two hypotheses show the same places: copies, other light, masks in another form.

    Their images have the same names or keys, and their masks look alike or lie side by side, or
    are not named as a set of their own. Two sets that are numbered alike have other masks by the
    same numbers, elsewhere.
    """
    with_splits = all(picture.item.split for h in (best, other) for picture, _ in h.pairs)
    for named in (_by_stem, _by_key, _by_whole_key):
        first, second = (
            {
                (with_splits and picture.item.split, named(picture, h)): (picture, mask)
                for picture, (mask, *_) in h.pairs
            }
            for h in (best, other)
        )
        shared = sorted(first.keys() & second.keys(), key=str)
        probed = evenly(shared, PROBES) if 2 * len(shared) > len(second) else []
        alike = [_is_same_view(first[name], second[name], looker) for name in probed]
        if 2 * sum(alike) > len(alike):
            return True
    return False


def _is_same_view(one: tuple[Member, Member], other: tuple[Member, Member], looker: Looker) -> bool:
    """Whether two pairs of an image and a mask, which have one name, show the same place."""
    if not _are_named_apart(one, other):
        return True
    return _are_alike(one[1].item.file.path, other[1].item.file.path, looker)


def _are_named_apart(one: tuple[Member, Member], other: tuple[Member, Member]) -> bool:
    """Whether a word in both paths of a pair tells it from the other pair, as a set's name does.

    `2016/pages` and `2016/truth` are of one set; `right` is no set of its own beside `left` and
    `left_labels` if its masks are not called so.
    """
    (image, mask), (other_image, other_mask) = (
        [frozenset(tokens_of(member.item.file.path)) for member in pair] for pair in (one, other)
    )
    gained = [(other_image - image), (other_mask - mask)]
    lost = [(image - other_image), (mask - other_mask)]
    own = [{word for word in words if _may_name_a_set(word)} for words in gained]
    if any(own):
        return bool(own[0] & own[1])
    return bool(lost[0] & lost[1])


def _may_name_a_set(word: str) -> bool:
    return word[0].isalnum() and word.lower() not in MASK_WORDS | IMAGE_WORDS


def _by_stem(picture: Member, _: Hypothesis) -> str:
    return picture.item.stem


def _by_key(picture: Member, hypothesis: Hypothesis) -> str:
    return _by_whole_key(picture, hypothesis).rpartition("/")[2]


def _by_whole_key(picture: Member, hypothesis: Hypothesis) -> str:
    return key_of(picture, hypothesis.picture_form) or ""


def _are_alike(one: str, other: str, looker: Looker) -> bool:
    """Whether two masks show the same, whatever their sizes and values, or lie in one folder."""
    looks = looker.look(one), looker.look(other)
    if one.rpartition("/")[0] == other.rpartition("/")[0] or looks[0] is None or looks[1] is None:
        return True
    shown = looks[0].foreground, looks[1].foreground
    return np.array_equal(*shown) or overlap(*shown) > SAME_VIEW
