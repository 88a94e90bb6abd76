"""The whole examination of a user's data, in two passes over its files.

The first reads all images and masks and finds out what the masks hold. The second reads the masks
once more as training would, by the description that was given or proposed: what that reader
refuses is broken, in its own words, and what it reads is counted.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations import is_annotations
from swiftseg.data.doctor.class_counts import ClassCounts, note_classes
from swiftseg.data.doctor.collector import Collector
from swiftseg.data.doctor.diagnosis import Diagnosis, Progress
from swiftseg.data.doctor.pair_facts import PairFacts, examine_pair
from swiftseg.data.doctor.published import examine_published
from swiftseg.data.doctor.structure import too_few
from swiftseg.data.doctor.value_table import value_table
from swiftseg.data.opening import OWN_DATA, RECOGNIZED, is_dataset_folder
from swiftseg.data.own.dataset_file import FILE_NAME, SUFFIXES, DatasetFile
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.in_threads import in_threads
from swiftseg.data.own.mask_rules import MaskRules
from swiftseg.data.own.own_data import OwnData, find_own_data
from swiftseg.data.own.propose import propose
from swiftseg.data.own.survey import MaskTotals
from swiftseg.data.paired_files import Pair
from swiftseg.data.published.camvid import is_camvid


def examine(source: Path, progress: Progress | None = None) -> Diagnosis:
    """Examines a folder, a dataset YAML or a list of pairs; whatever is wrong is a finding."""
    # Before an export's lists are taken for pairs; a dataset.yaml is the user's own word.
    if not is_dataset_folder(source) and is_annotations(source):
        diagnosis = Diagnosis(source)
        examine_published(diagnosis, "annotations", progress)
        return diagnosis
    try:
        own = find_own_data(source)
    except SwiftsegError as error:
        published = published_dataset(source)
        if published is not None:
            diagnosis = Diagnosis(source)
            examine_published(diagnosis, published, progress)
            return diagnosis
        finding = Finding("broken", _opening_code(source), str(error), files=(str(source),))
        return Diagnosis(source, (finding,))
    return Examination(own, progress).run()


def published_dataset(source: Path) -> str | None:
    """Names the published dataset whose tree a folder has, or None."""
    names = (name for name, is_tree in RECOGNIZED.items() if name != OWN_DATA and is_tree(source))
    return next(names, None)


class Examination:
    """The state of one run of the doctor."""

    def __init__(self, own: OwnData, progress: Progress | None) -> None:
        self.own = own
        self.advance: Callable[[], None] = progress.advance if progress else lambda: None
        if progress:
            progress.expect(2 * len(own.pairs))
        self.collector = Collector()
        self.totals = MaskTotals()
        self.sizes: Counter[tuple[int, int]] = Counter()
        # All that grows with the files beside their paths: 16 bytes and some references a pair.
        self.seen: dict[bytes, tuple[str, Pair]] = {}
        self.readable: list[tuple[str, Pair]] = []

    def run(self) -> Diagnosis:
        for finding in (*self.own.findings, *too_few(self.own)):
            self.collector.add(finding)
        for split, pairs in self.own.splits.items():
            for facts in in_threads(examine_pair, pairs):
                self.take(split, facts)
                self.advance()
        file = self.own.file or self.proposed()
        diagnosis = Diagnosis(self.own.source)
        diagnosis.splits = {split: len(pairs) for split, pairs in self.own.splits.items()}
        diagnosis.sizes = self.sizes
        diagnosis.pairs = [pair for _, pair in self.readable]
        if file is not None:
            diagnosis.rules = file.rules()
            diagnosis.counts = self.count_classes(diagnosis.rules)
            note_classes(self.collector, file.labels(), diagnosis.counts)
            diagnosis.file = with_absolute_paths(file, self.own)
        diagnosis.values = value_table(self.totals, diagnosis.rules, diagnosis.labels)
        self.note_splits()
        diagnosis.findings = self.collector.findings()
        return diagnosis

    def take(self, split: str, facts: PairFacts) -> None:
        """Adds what one pair has told."""
        place = (split, facts.pair)
        for finding in facts.findings:
            self.collector.add(finding)
        if facts.mask is not None:
            self.totals.add(facts.mask)
        if facts.size_hw is not None:
            self.sizes[facts.size_hw] += 1
            self.note_copies(place, facts.digest)
        if not facts.findings:
            self.readable.append(place)
        if facts.is_turned:
            message = (
                f"{facts.pair.image}: shown turned, as its EXIF orientation says; masks are read "
                "as stored and have to be upright, see the contact sheet"
            )
            self.collector.note("note", "turned_images", message, facts.pair.image)

    def note_copies(self, place: tuple[str, Pair], digest: bytes) -> None:
        (split, pair), (other_split, other) = place, self.seen.setdefault(digest, place)
        if (other_split, other) == place:
            return
        if other_split == split:
            message = f"{pair.image}: the same image as {other.image.name}"
            self.collector.note("warning", "duplicate_images", message, pair.image)
            return
        message = (
            f"{pair.image}: in {split}, the same image as {other.image} in {other_split}; "
            "scores on it are too good"
        )
        self.collector.note("warning", "same_image_in_splits", message, pair.image)

    def proposed(self) -> DatasetFile | None:
        proposal = propose(self.totals, is_camvid_tree=is_camvid(self.own.root))
        for finding in proposal.findings:
            self.collector.add(finding)
        return proposal.file

    def count_classes(self, rules: MaskRules) -> dict[str, ClassCounts]:
        """Reads the masks as training would, and counts."""
        read = rules.reader()

        def count(item: tuple[str, Pair]) -> np.ndarray | SwiftsegError:
            try:
                return np.bincount(read(item[1].mask).ravel(), minlength=256)
            except SwiftsegError as error:
                return error

        counts = {split: ClassCounts() for split in self.own.splits}
        for (split, pair), found in zip(
            self.readable, in_threads(count, self.readable), strict=True
        ):
            self.advance()
            if isinstance(found, SwiftsegError):
                self.collector.note("broken", self.refusal_code(rules), str(found), pair.mask)
                continue
            counts[split].add(found)
            if rules.ignore_index is not None and found[rules.ignore_index] == found.sum():
                message = f"{pair.mask}: nothing but ignored pixels"
                self.collector.note("warning", "empty_masks", message, pair.mask)
        return counts

    def refusal_code(self, rules: MaskRules) -> str:
        """Names why readable masks are refused: their encoding is another, or their values."""
        kinds = set(self.totals.files)
        if rules.encoding == "rgb":
            return "unknown_colors" if "rgb" in kinds else "wrong_encoding"
        if "rgb" in kinds or (rules.encoding == "palette" and "gray" in kinds):
            return "wrong_encoding"
        return "unknown_values"

    def note_splits(self) -> None:
        if self.own.file is not None and self.totals.palettes_differ:
            message = "palettes differ between masks: one index means several colors"
            self.collector.note("warning", "palettes_differ", message)
        if self.own.pairs and "val" not in self.own.splits:
            message = "there is no val; training holds out a fifth of the pairs, by their names"
            self.collector.note("note", "no_val_split", message)


def _opening_code(source: Path) -> str:
    if not source.exists():
        return "missing_path"
    is_described = source.suffix in SUFFIXES or (source / FILE_NAME).is_file()
    return "bad_dataset_file" if is_described else "unknown_tree"


def with_absolute_paths(file: DatasetFile, own: OwnData) -> DatasetFile:
    """Gives the description as it can be written anywhere."""
    changes: dict[str, str] = {"path": str(own.root.resolve())}
    if own.file is None and own.source.is_file() and own.source.suffix not in SUFFIXES:
        changes["train"] = own.source.name
    return file.model_copy(update=changes)
