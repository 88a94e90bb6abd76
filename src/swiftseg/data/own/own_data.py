"""Opening a user's own data."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swiftseg.core import LabelSet, SwiftsegError, unknown_name
from swiftseg.data.own.dataset_file import FILE_NAME, SUFFIXES, DatasetFile, read_dataset_file
from swiftseg.data.own.finding import Finding, refuse_broken
from swiftseg.data.own.layout import (
    SPLITS,
    UNSPLIT,
    PairList,
    contents_text,
    find_splits,
    hold_out_val,
    pair_files,
    pair_folders,
    read_lines,
    read_pair_list,
    split_line,
)
from swiftseg.data.own.mask_rules import MaskRules
from swiftseg.data.own.propose import propose
from swiftseg.data.own.survey import survey_masks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.published.camvid import is_camvid


@dataclass(frozen=True)
class OwnData:
    """A user's data as found.

    Attributes:
        source: The folder, the list or the YAML file.
        root: What paths are relative to.
        splits: The pairs of each split, as they lie: without a split, all are in `all`.
        findings: What does not pair up.
        file: The description, or None where there is none yet.
    """

    source: Path
    root: Path
    splits: dict[str, list[Pair]]
    findings: tuple[Finding, ...]
    file: DatasetFile | None

    @property
    def pairs(self) -> list[Pair]:
        return [pair for pairs in self.splits.values() for pair in pairs]

    def described(
        self, advance: Callable[[], None] = lambda: None
    ) -> tuple[DatasetFile, tuple[Finding, ...]]:
        """Gives the description; without one the masks are surveyed, with what was found then.

        Args:
            advance: Called after each mask.

        Raises:
            SwiftsegError: The masks make no sense, or contradict themselves.
        """
        if self.file is not None:
            return self.file, ()
        totals = survey_masks(self.pairs, advance)
        proposal = propose(totals, is_camvid_tree=is_camvid(self.root))
        refuse_broken(proposal.findings, self.source)
        if proposal.file is None:
            raise SwiftsegError(f"{self.source}: no mask can be read")
        return proposal.file, proposal.findings

    def open(self, split: str, file: DatasetFile) -> PairedFiles:
        """Opens a split; train and val are made where there is no val."""
        splits = hold_out_val(self.splits)
        if split not in splits:
            raise unknown_name("split", split, splits)
        return open_pairs(splits[split], file.labels(), file.rules())


def open_pairs(pairs: list[Pair], labels: LabelSet, rules: MaskRules) -> PairedFiles:
    return PairedFiles(pairs, labels, rules.reader())


def is_own_data(source: Path) -> bool:
    """Tells whether a path is a dataset YAML, a list, or a folder in one of the usual trees."""
    if source.is_file():
        return True
    return source.is_dir() and ((source / FILE_NAME).is_file() or bool(find_splits(source)))


def open_own_data(source: Path, split: str) -> PairedFiles:
    """Opens a split of a user's data.

    Raises:
        SwiftsegError: Files do not pair up, the YAML is wrong, or the masks make no sense.
        UsageError: There is no such split.
    """
    own = find_own_data(source)
    refuse_broken(own.findings, source)
    file, _ = own.described()
    return own.open(split, file)


def find_own_data(source: Path) -> OwnData:
    """Finds the pairs of a user's data; trouble with them is in the findings.

    Args:
        source: A folder, with a dataset.yaml or without; such a file; or a list of pairs.

    Raises:
        SwiftsegError: There is no such path, the YAML is wrong, or the folder's tree is unknown.
    """
    if source.suffix in SUFFIXES or (source / FILE_NAME).is_file():
        path = source if source.suffix in SUFFIXES else source / FILE_NAME
        return _find_described(source, path, read_dataset_file(path))
    if source.is_file():
        return _own_data(source, source.parent, {UNSPLIT: read_pair_list(source)}, None)
    if not source.is_dir():
        raise SwiftsegError(f"{source}: no such file or folder")
    return _own_data(source, source, _splits_of(source), None)


def _find_described(source: Path, path: Path, file: DatasetFile) -> OwnData:
    root = path.parent / (file.path or ".")
    if not root.is_dir():
        raise SwiftsegError(f"{path}: path: {root}: no such folder")
    named = {split: getattr(file, split) for split in SPLITS}
    if not any(named.values()):
        return _own_data(source, root, _splits_of(root), file)
    splits = {
        split: _pairs_of(path, root, split, given, file) for split, given in named.items() if given
    }
    return _own_data(source, root, splits, file)


def _pairs_of(path: Path, root: Path, split: str, given: str, file: DatasetFile) -> PairList:
    """Finds a split's pairs from what the YAML names: a folder of images, or a list."""
    images = root / given
    if images.is_file():
        has_pairs = any(len(split_line(line)) > 1 for _, line in read_lines(images, PairList()))
        if has_pairs or file.masks is None:
            return read_pair_list(images, root)
        names = [root / line for _, line in read_lines(images, PairList())]
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


def _splits_of(root: Path) -> dict[str, PairList]:
    splits = find_splits(root)
    if not splits:
        raise SwiftsegError(
            f"{root}: expected images/SPLIT and masks/SPLIT, SPLIT/images and SPLIT/masks, images "
            f"and masks, lists of pairs such as train.txt, or a {FILE_NAME} that says where they "
            "are (train: FOLDER, masks: FOLDER, names: [soil, crop]), "
            f"got {contents_text(root)}"
        )
    return splits


def _own_data(
    source: Path, root: Path, splits: dict[str, PairList], file: DatasetFile | None
) -> OwnData:
    findings = tuple(finding for found in splits.values() for finding in found.findings)
    return OwnData(
        source, root, {split: found.pairs for split, found in splits.items()}, findings, file
    )
