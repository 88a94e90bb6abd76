"""The data that `swiftseg train` is given, opened split by split."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError, UsageError, log
from swiftseg.core.progress import LateProgress
from swiftseg.data import Dataset, open_dataset
from swiftseg.data.doctor import check_structure
from swiftseg.data.opening import DATASETS, OWN_DATA, TOY_STREET, recognize
from swiftseg.data.own.finding import Finding, refuse_broken
from swiftseg.data.own.own_data import find_own_data
from swiftseg.data.paired_files import PairedFiles


def split_opener(source: str, folders: Mapping[str, str]) -> Callable[[str | None, str], Dataset]:
    """Return a function that opens a split of a data set by the names that recipes use.

    A user's own data are checked for what the doctor calls broken, as far as that is cheap, and
    their masks are surveyed once where nobody has described them. Its warnings go to stderr.
    """

    @cache
    def own_opener(folder: str) -> Callable[[str], Dataset]:
        own = find_own_data(Path(folder))
        with LateProgress("checking files") as progress:
            progress.expect(len(own.pairs) * (2 if own.file is None else 1))
            found = check_structure(own, progress.advance)
            refuse_broken(found, folder)
            file, more = own.described(progress.advance)
        warn_of((*found, *more))

        def open_split(split: str) -> Dataset:
            opened = own.open(split, file)
            if split == "val":
                refuse_unlabeled(opened, f"{folder}: all pixels of val are ignored")
            return opened

        return open_split

    told: set[Finding] = set()

    @cache
    def open_named(folder: str, split: str, dataset: str | None) -> Dataset:
        opened = open_dataset(folder, split, dataset=dataset)
        # An export of a labeling tool has findings, the same for all its splits.
        warn_of(finding for finding in getattr(opened, "findings", ()) if finding not in told)
        told.update(getattr(opened, "findings", ()))
        return opened

    def open_split(dataset: str | None, split: str) -> Dataset:
        folder = folders.get(dataset or "", folders.get(""))
        if folder is None:
            raise UsageError(f"recipe {source} needs --data {dataset}=DIR")
        # A name that recipe and --data share need not be a reader's.
        reader = None if dataset in folders and dataset not in DATASETS else dataset
        if is_own(folder, reader):
            return own_opener(folder)(split)
        try:
            return open_named(folder, split, reader)
        except SwiftsegError as error:
            if reader is None or recognize(Path(folder)) != OWN_DATA:
                raise
            raise SwiftsegError(
                f"{error}; {folder} holds data of your own: leave the line `dataset: {reader}` "
                "out of the recipe"
            ) from error

    return open_split


def warn_of(findings: Iterable[Finding]) -> None:
    """Print the warnings among findings, but for the processes that a launcher has started."""
    if "RANK" in os.environ:
        return
    for finding in findings:
        if finding.severity == "warning":
            log.warn(finding.message)


def is_own(folder: str, dataset: str | None) -> bool:
    """Whether a source is a user's own data rather than a published dataset."""
    if folder == TOY_STREET or not Path(folder).exists() or dataset not in (None, OWN_DATA):
        return False
    return recognize(Path(folder)) == OWN_DATA


def refuse_unlabeled(dataset: PairedFiles, problem: str) -> None:
    """Raise SwiftsegError where no mask has a labeled pixel: training could not tell what is best.

    Usually the first mask that is read has one.
    """
    labels = dataset.labels
    values = [*range(len(labels)), *labels.set_values]
    if not any(np.isin(dataset.read_pair_mask(pair), values).any() for pair in dataset.pairs):
        raise SwiftsegError(f"{problem}; there is nothing to score a training by")
