"""What the doctor tells."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.core import LabelSet
from swiftseg.data.doctor.class_counts import ClassCounts
from swiftseg.data.doctor.value_table import ValueRow
from swiftseg.data.own.dataset_file import DatasetFile
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.mask_rules import MaskRules
from swiftseg.data.own.tree_reading import Reading
from swiftseg.data.paired_files import Pair


@dataclass
class Diagnosis:
    """What the doctor has found.

    Attributes:
        findings: The worst first.
        file: The description, as given or proposed, with absolute paths; None where there is none.
        is_described: Whether the description was given, by a dataset.yaml.
        published_labels: The classes of a published dataset, which needs no description.
        values: The masks' distinct values, the most frequent first.
        sizes: How many images have each size (height, width).
        reading: What was believed of a folder that nobody has described.
        others: Other readings of it, the likeliest first.
    """

    source: Path
    findings: tuple[Finding, ...] = ()
    splits: dict[str, int] = field(default_factory=dict[str, int])
    file: DatasetFile | None = None
    is_described: bool = False
    published_labels: LabelSet | None = None
    rules: MaskRules | None = None
    values: list[ValueRow] = field(default_factory=list[ValueRow])
    counts: dict[str, ClassCounts] = field(default_factory=dict[str, ClassCounts])
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    pairs: list[Pair] = field(default_factory=list[Pair])
    reading: Reading | None = None
    others: tuple[Reading, ...] = ()

    @property
    def is_broken(self) -> bool:
        return any(finding.severity == "broken" for finding in self.findings)

    @property
    def labels(self) -> LabelSet | None:
        return self.published_labels if self.file is None else self.file.labels()
