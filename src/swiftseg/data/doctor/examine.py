"""The whole examination of a user's data, in two passes over its files.

The first reads all images and masks and finds out what the masks hold. The second reads the masks
once more as training would, by the description that was given or proposed: what that reader
refuses is broken, in its own words, and what it reads is counted.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core import LabelSet, SwiftsegError, UsageError
from swiftseg.core.in_threads import in_threads
from swiftseg.core.progress import LateProgress
from swiftseg.core.yaml_text import YAML_SUFFIXES
from swiftseg.data.doctor.class_counts import ClassCounts, note_classes, note_sets
from swiftseg.data.doctor.diagnosis import Diagnosis
from swiftseg.data.doctor.pair_facts import PairFacts, examine_pair, kind_findings
from swiftseg.data.doctor.published import examine_published
from swiftseg.data.doctor.structure import too_few
from swiftseg.data.doctor.value_table import value_table
from swiftseg.data.opening import OWN_DATA, recognize
from swiftseg.data.own.dataset_file import FILE_NAME, DatasetFile
from swiftseg.data.own.finding import Collector, Finding
from swiftseg.data.own.mask_rules import MaskRules
from swiftseg.data.own.own_data import ONLY_VAL, OwnData, find_own_data
from swiftseg.data.own.survey import MaskTotals
from swiftseg.data.paired_files import Pair, unite_parts


def check_data(
    source: Path | str, progress: LateProgress | None = None, *, reading: int | None = None
) -> Diagnosis:
    """Find images and their masks, what is wrong with them, and what the masks mean.

    Args:
        source: A folder that is arranged in any way, a dataset YAML or a list of pairs.
        progress: Told of each file.
        reading: Which of a folder's readings is examined, the likeliest being 1, whatever a
            dataset.yaml in it says; None examines what that says, or else the likeliest.

    Raises:
        UsageError: The folder has fewer readings.
    """
    source = Path(source)
    published = recognize(source)
    if published != OWN_DATA:
        diagnosis = Diagnosis(source)
        examine_published(diagnosis, published, progress)
        return diagnosis
    try:
        own = find_own_data(source, reading)
    except UsageError:
        raise
    except SwiftsegError as error:
        finding = Finding("broken", _opening_code(source), str(error), files=(str(source),))
        return Diagnosis(source, (finding,))
    return Examination(own, progress).run()


class Examination:
    """The state of one run of the doctor."""

    def __init__(self, own: OwnData, progress: LateProgress | None) -> None:
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
        self.has_resized = False
        self.kinds: dict[tuple[int, str], list[Path]] = {}

    def run(self) -> Diagnosis:
        for finding in (*self.own.findings, *too_few(self.own)):
            self.collector.add(finding)
        resize_masks = self.own.file is None or self.own.file.resize_masks
        read = partial(examine_pair, resize_masks=resize_masks)
        for split, pairs in self.own.splits.items():
            for facts in in_threads(read, pairs):
                self.take(split, facts)
                self.advance()
        for finding in kind_findings(self.kinds):
            self.collector.add(finding)
        file = self.own.file or self.proposed()
        diagnosis = Diagnosis(self.own.source)
        diagnosis.splits = {split: len(pairs) for split, pairs in self.own.splits.items()}
        diagnosis.sizes = self.sizes
        diagnosis.reading, diagnosis.others = self.own.reading, self.own.others
        diagnosis.pairs = [pair for _, pair in self.readable]
        if file is not None:
            diagnosis.rules = file.rules()
            diagnosis.counts = self.count_classes(diagnosis.rules, file.labels())
            note_classes(self.collector, file.labels(), diagnosis.counts)
            note_sets(self.collector, file.labels())
            diagnosis.file = file.model_copy(update={"path": str(self.own.root.resolve())})
        diagnosis.is_described = self.own.file is not None
        diagnosis.values = value_table(self.totals, diagnosis.rules, diagnosis.labels)
        if file is not None and file.masks_per_image == "classes":
            shown = dict.fromkeys(file.labels().names[1:], "the class of the file")
            diagnosis.values = [
                row._replace(meaning=shown.get(row.meaning, row.meaning))
                for row in diagnosis.values
            ]
        self.note_splits(diagnosis)
        diagnosis.findings = self.collector.findings()
        return diagnosis

    def take(self, split: str, facts: PairFacts) -> None:
        """Add what one pair has told."""
        place = (split, facts.pair)
        for finding in facts.findings:
            self.collector.add(finding)
            self.has_resized |= finding.code == "resized_masks"
        for mask in facts.masks:
            self.totals.add(mask)
        if facts.size_hw is not None:
            self.sizes[facts.size_hw] += 1
            self.kinds.setdefault(facts.kind, []).append(facts.pair.image)
            self.note_copies(place, facts.digest)
        if facts.is_readable:
            self.readable.append(place)

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
            "scores on it are too optimistic"
        )
        self.collector.note("warning", "same_image_in_splits", message, pair.image)

    def proposed(self) -> DatasetFile | None:
        proposal = self.own.proposed(self.totals)
        for finding in proposal.findings:
            self.collector.add(finding)
        if proposal.file is None:
            return None
        return self.own.located(proposal.file, resize_masks=self.has_resized)

    def count_classes(self, rules: MaskRules, labels: LabelSet) -> dict[str, ClassCounts]:
        """Read the masks as training would, and count."""
        read = rules.reader()

        def count(item: tuple[str, Pair]) -> tuple[np.ndarray, int] | SwiftsegError:
            pair = item[1]
            try:
                mask, shared = (
                    unite_parts(pair, labels, read) if pair.parts else (read(pair.mask), 0)
                )
                # np.bincount would widen all of it to int64
                return np.array(Image.fromarray(mask).histogram()), shared
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
            pixels, shared = found
            counts[split].add(pixels)
            if shared:
                message = (
                    f"{pair.mask}: {shared} pixels belong to several of the image's masks; "
                    "the smaller mask has them"
                )
                self.collector.note("note", "overlapping_masks", message, pair.mask)
            if pixels[ignored_value(rules)] == pixels.sum():
                message = f"{pair.mask}: nothing but ignored pixels"
                self.collector.note("warning", "empty_masks", message, pair.mask)
        return counts

    def refusal_code(self, rules: MaskRules) -> str:
        """Name why readable masks are refused: their encoding is another, or their values."""
        kinds = set(self.totals.files)
        if rules.encoding == "rgb":
            return "unknown_colors" if "rgb" in kinds else "wrong_encoding"
        if "rgb" in kinds or (rules.encoding == "palette" and "gray" in kinds):
            return "wrong_encoding"
        return "unknown_values"

    def note_splits(self, diagnosis: Diagnosis) -> None:
        for split, of_split in diagnosis.counts.items():
            labels = diagnosis.labels
            values = [*range(len(labels)), *labels.set_values] if labels else []
            if of_split.pixels.any() and not of_split.pixels[values].any():
                message = f"{self.own.source}: all pixels of {split} are ignored; nothing to score"
                self.collector.note("broken", "all_ignored", message)
        if self.own.reading and self.own.reading.parts != "one":
            message = (
                "each image has a mask for each "
                + ("class" if self.own.reading.parts == "classes" else "instance")
                + "; they are united into one mask an image"
            )
            self.collector.note("note", "united_masks", message)
        if self.own.file is not None and self.totals.palettes_differ:
            message = "palettes differ between masks: one index means several colors"
            self.collector.note("warning", "palettes_differ", message)
        if self.own.splits.keys() == {"val"}:
            self.collector.note("warning", "only_val", f"{self.own.source}: {ONLY_VAL}")
        if self.own.pairs and "val" not in self.own.splits:
            message = "there is no val; training holds out a fifth of the pairs, by their names"
            self.collector.note("note", "no_val_split", message)


def ignored_value(rules: MaskRules) -> int:
    """Return the value of ignored pixels in a mask that is read; 255, no class, without one."""
    ignored = rules.ignore_index
    return ignored if ignored is not None and 0 <= ignored <= 255 else 255


def _opening_code(source: Path) -> str:
    if not source.exists():
        return "missing_path"
    is_described = source.suffix in YAML_SUFFIXES or (source / FILE_NAME).is_file()
    return "bad_dataset_file" if is_described else "unknown_tree"
