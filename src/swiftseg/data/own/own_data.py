"""Opening a user's own data."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swiftseg.core import SwiftsegError, UsageError, unknown_name
from swiftseg.core.yaml_text import YAML_SUFFIXES
from swiftseg.data.own.bands_apart import bands_apart_text, find_bands_apart
from swiftseg.data.own.dataset_file import (
    EXAMPLE,
    FILE_NAME,
    DatasetFile,
    read_dataset_file,
)
from swiftseg.data.own.families import sort_files
from swiftseg.data.own.file_tree import FileTree, walk_tree
from swiftseg.data.own.finding import Finding, refuse_broken
from swiftseg.data.own.folders import contents_text, pair_files, pair_folders, unread_text
from swiftseg.data.own.lists import (
    PairList,
    find_list_splits,
    find_pair_lists,
    pairs_in_list,
    read_pair_list,
    with_the_rest,
)
from swiftseg.data.own.naming import Hints, find_hints
from swiftseg.data.own.propose import Proposal, propose
from swiftseg.data.own.readings import find_readings
from swiftseg.data.own.splits import hold_out_val
from swiftseg.data.own.survey import MaskTotals, survey_masks
from swiftseg.data.own.tables import read_table
from swiftseg.data.own.tree_reading import UNSPLIT, Reading, read_by_patterns
from swiftseg.data.own.words import SPLIT_WORDS
from swiftseg.data.paired_files import Pair, PairedFiles

SPLITS = tuple(SPLIT_WORDS)
MORE_BY_LISTS = 1.05  # a list of pairs is believed where it names more than the names pair up
ONLY_VAL = (
    "all pairs are in val, and there is no train; to train on them, put `*` in the place of "
    "{split} in the patterns of a dataset.yaml"
)


class NoMasksError(SwiftsegError):
    """Nothing in a folder is a mask of an image."""


@dataclass(frozen=True)
class OwnData:
    """A user's data as found.

    Attributes:
        source: The folder, the list or the YAML file.
        splits: The pairs of each split, as they lie: without a split, all are in `all`.
        findings: What does not pair up.
        file: The description, or None where there is none yet.
        reading: What was believed of a folder that nobody has described; None for others.
        others: Other readings of it, the likeliest first.
        lists: The lists that give the splits, by split, below the root.
    """

    source: Path
    root: Path
    splits: dict[str, list[Pair]]
    findings: tuple[Finding, ...]
    file: DatasetFile | None
    reading: Reading | None = None
    others: tuple[Reading, ...] = ()
    lists: dict[str, str] | None = None

    @property
    def pairs(self) -> list[Pair]:
        return [pair for pairs in self.splits.values() for pair in pairs]

    def proposed(self, totals: MaskTotals) -> Proposal:
        """Propose a description from the values of the masks, without where the files lie."""
        parts = self.reading.parts if self.reading else "one"
        return propose(totals, self._hints(), parts)

    def _hints(self) -> Hints:
        images = self.reading.images if self.reading else ()
        masks = self.reading.masks if self.reading else ()
        named = {part.class_name for pair in self.pairs for part in pair.parts}
        images_of = [pair.image for pair in self.pairs]
        places = {text for path in images_of for text in (path.stem, *path.parts[-3:-1])}
        return find_hints(self.root, images, masks, sorted(filter(None, named)), places)

    def described(
        self, advance: Callable[[], None] = lambda: None
    ) -> tuple[DatasetFile, tuple[Finding, ...]]:
        """Return the description; without one the masks are surveyed, with what was found then.

        Raises:
            SwiftsegError: The masks make no sense, or contradict themselves.
        """
        if self.file is not None:
            return self.file, ()
        totals = survey_masks(self.pairs, advance)
        proposal = self.proposed(totals)
        refuse_broken(proposal.findings, self.source)
        if proposal.file is None:
            raise SwiftsegError(f"{self.source}: no mask can be read")
        # Where sizes differ, proportions have to agree; the check of the structure tells of it.
        return self.located(proposal.file, resize_masks=True), proposal.findings

    def located(self, file: DatasetFile, *, resize_masks: bool) -> DatasetFile:
        """Add where the files lie to a description of what the masks mean."""
        places: dict[str, object] = {"resize_masks": resize_masks, **(self.lists or {})}
        if self.reading is None:
            return file.model_copy(update=places)
        images, masks = self.reading.images, self.reading.masks
        places |= {
            "image": images[0] if len(images) == 1 else images or None,
            "mask": masks[0] if len(masks) == 1 else masks or None,
            "masks_per_image": self.reading.parts,
        }
        return file.model_copy(update=places)

    def open(self, split: str, file: DatasetFile) -> PairedFiles:
        """Open a split; train and val are made where there is no val."""
        splits = hold_out_val(self.splits)
        if split not in splits and splits.keys() == {"val"}:
            raise UsageError(f"{self.source}: {ONLY_VAL}")
        if split not in splits:
            raise UsageError(f"{self.source}: {unknown_name('split', split, splits)}")
        return open_pairs(splits[split], file)


def open_pairs(pairs: list[Pair], file: DatasetFile) -> PairedFiles:
    reader = file.rules().reader()
    return PairedFiles(pairs, file.labels(), reader, resize_masks=file.resize_masks)


def open_own_data(source: Path, split: str) -> PairedFiles:
    """Open a split of a user's data.

    Raises:
        SwiftsegError: Files do not pair up, the YAML is wrong, or the masks make no sense.
        UsageError: There is no such split.
    """
    own = find_own_data(source)
    refuse_broken(own.findings, source)
    file, _ = own.described()
    return own.open(split, file)


def find_own_data(source: Path, reading: int | None = None) -> OwnData:
    """Find the pairs of a user's data; trouble with them is in the findings.

    Args:
        source: A folder, with a dataset.yaml or without; such a file; or a list of pairs.
        reading: Which of a folder's readings is taken, the likeliest being 1, whatever a
            dataset.yaml in it says; None takes what that says, or else the likeliest.

    Raises:
        SwiftsegError: There is no such path, the YAML is wrong, or nothing in the folder pairs up.
        UsageError: The folder has fewer readings.
    """
    path = source if source.suffix in YAML_SUFFIXES else source / FILE_NAME
    if source.suffix in YAML_SUFFIXES or (reading is None and path.is_file()):
        return _find_described(source, path, read_dataset_file(path))
    if source.is_file():
        found = read_pair_list(source)
        lists = {"train": source.name}
        return OwnData(
            source, source.parent, {UNSPLIT: found.pairs}, tuple(found.findings), None, lists=lists
        )
    if not source.is_dir():
        raise SwiftsegError(f"{source}: no such file or folder")
    return _find_by_looking(source, source, None, reading or 1)


def _find_by_looking(
    source: Path, root: Path, file: DatasetFile | None, number: int = 1
) -> OwnData:
    """Find the pairs of a folder whose tree nobody has described."""
    readings, tree = find_readings(root, number)
    listed = _find_listed(tree, readings[0].num_pairs if readings else 0)
    if listed is not None:
        splits, findings, lists = listed
        return OwnData(source, root, splits, findings, file, lists=lists)
    if not readings:
        raise NoMasksError(f"{root}: {_nothing_found(tree)}")
    if not 1 <= number <= len(readings):
        raise UsageError(f"{root}: there are {len(readings)} readings, got {number}")
    chosen = readings[number - 1]
    others = tuple(reading for reading in readings if reading is not chosen)
    splits, findings, lists = _with_list_splits(tree, chosen)
    return OwnData(source, root, splits, findings, file, chosen, others, lists)


def _nothing_found(tree: FileTree) -> str:
    """Tell what a folder holds in which nothing pairs up, and what is missing."""
    _, units = sort_files(tree)
    pictures, masks = (
        [item.file.path for unit in units if other not in unit.roles for item in unit.items]
        for other in ("mask", "picture")
    )
    images = pictures or [file.path for file in tree.images]
    what = "no masks found"
    if not images:
        found = contents_text(tree.root)
    elif pictures and masks:
        what = "no mask belongs to an image by its name"
        found = (
            f"{len(pictures)} images, such as {min(pictures)}, and {len(masks)} files that look "
            f"like masks, such as {min(masks)}"
        )
        if apart := find_bands_apart(pictures):
            found += f"; {bands_apart_text(tree.root, apart[min(apart)])}"
    elif apart := find_bands_apart(images):
        found = bands_apart_text(tree.root, apart[min(apart)])
    else:
        first = tree.root / min(images)
        found = f"{len(images)} images, such as {first}, but no masks that belong to them"
    return (
        f"{what}; expected images and one mask for each, a list of pairs, or a {FILE_NAME} "
        f"that says where they are (image: PATTERN, mask: PATTERN, {EXAMPLE}); got {found}"
        f"{unread_text(tree.others)}"
    )


def _find_listed(
    tree: FileTree, num_paired: int
) -> tuple[dict[str, list[Pair]], tuple[Finding, ...], dict[str, str]] | None:
    """Read the lists of pairs in a tree, where they name more pairs than the names tell."""
    lists = find_pair_lists(tree)
    found = {
        split: read_pair_list(tree.root / path, tree.root, None if split == UNSPLIT else split)
        for split, path in lists.items()
    }
    if sum(len(listed.pairs) for listed in found.values()) <= MORE_BY_LISTS * num_paired:
        return None
    if len(found) > 1:
        found.pop(UNSPLIT, None)
        lists.pop(UNSPLIT, None)
    findings = tuple(finding for listed in found.values() for finding in listed.findings)
    if UNSPLIT in lists:
        lists = {"train": lists[UNSPLIT]}
    return {split: listed.pairs for split, listed in found.items()}, findings, lists


def _with_list_splits(
    tree: FileTree, reading: Reading
) -> tuple[dict[str, list[Pair]], tuple[Finding, ...], dict[str, str] | None]:
    """Split the pairs by the lists in the tree, where the folders do not."""
    if len(reading.splits) > 1:
        return reading.splits, reading.findings, None
    pairs = [pair for pairs in reading.splits.values() for pair in pairs]
    listed = find_list_splits(tree, pairs)
    if listed is None:
        return reading.splits, reading.findings, None
    findings = list(reading.findings)
    if listed.unlisted:
        message = f"{listed.unlisted} pairs are in no list of {', '.join(listed.lists.values())}"
        findings.append(Finding("warning", "unlisted_pairs", message, listed.unlisted))
    return listed.splits, tuple(findings), listed.lists


def _find_described(source: Path, path: Path, file: DatasetFile) -> OwnData:
    root = path.parent / (file.path or ".")
    if not root.is_dir():
        raise SwiftsegError(f"{path}: path: {root}: no such folder")
    named = {split: str(getattr(file, split)) for split in SPLITS if getattr(file, split)}
    patterns = file.patterns
    if patterns is not None:
        return _find_by_patterns(source, root, file, patterns, named)
    if not named:
        return _find_by_looking(source, root, file)
    found = {split: _pairs_of(path, root, split, given, file) for split, given in named.items()}
    findings = tuple(finding for listed in found.values() for finding in listed.findings)
    return OwnData(source, root, {s: listed.pairs for s, listed in found.items()}, findings, file)


def _find_by_patterns(
    source: Path,
    root: Path,
    file: DatasetFile,
    patterns: tuple[tuple[str, ...], tuple[str, ...]],
    named: dict[str, str],
) -> OwnData:
    """Find the pairs that a dataset.yaml describes by patterns, and their splits by lists."""
    reading = read_by_patterns(walk_tree(root), *patterns, file.masks_per_image)
    findings = list(reading.findings)
    if not reading.num_pairs:
        message = f"{source}: no files fit image: {patterns[0][0]} and mask: {patterns[1][0]}"
        findings.append(Finding("broken", "no_images", message))
    if not named:
        return OwnData(source, root, reading.splits, tuple(findings), file, reading)
    pairs = [pair for pairs in reading.splits.values() for pair in pairs]
    splits: dict[str, list[Pair]] = {}
    for split, path in named.items():
        listed = pairs_in_list(root / path, split, pairs, root)
        splits[split] = listed.pairs
        findings += listed.findings
    splits = with_the_rest(splits, pairs)
    return OwnData(source, root, splits, tuple(findings), file, reading)


def _pairs_of(path: Path, root: Path, split: str, given: str, file: DatasetFile) -> PairList:
    """Find a split's pairs from what the YAML names: a folder of images, or a list."""
    images = root / given
    if images.is_file():
        listed = read_pair_list(images, root, split)
        is_bad = {finding.code for finding in listed.findings} & {"bad_list"}
        if is_bad or listed.pairs or file.masks is None:
            return listed
        names = [root / row.cells[0] for row in read_table(images).rows if row.cells]
        return pair_files(names, _masks_of(path, root, split, images, file), where=images)
    if not images.is_dir():
        message = f"{path}: {split}: {images}: no such folder or list"
        return PairList(findings=[Finding("broken", "missing_folder", message)])
    masks = _masks_of(path, root, split, images, file)
    if not masks.is_dir():
        message = f"{path}: masks of {split}: {masks}: no such folder"
        return PairList(findings=[Finding("broken", "missing_folder", message)])
    return pair_folders(images, masks)


def _masks_of(path: Path, root: Path, split: str, images: Path, file: DatasetFile) -> Path:
    if isinstance(file.masks, dict):
        if split not in file.masks:
            raise SwiftsegError(f"{path}: masks names no folder for {split}")
        return root / file.masks[split]
    if file.masks is None:  # images/train has its masks in masks/train
        is_below = images.is_relative_to(root)
        parts = list((images.relative_to(root) if is_below else images).parts)
        if "images" not in parts:
            raise SwiftsegError(f"{path}: say where the masks of {split} are: masks: FOLDER")
        parts[parts.index("images")] = "masks"
        return root.joinpath(*parts)
    masks = root / file.masks
    own = [masks / name for name in (split, images.name) if (masks / name).is_dir()]
    return own[0] if own else masks
