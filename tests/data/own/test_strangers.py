"""Folders as strangers publish them are read right, or refused with the reason."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data import check_data, open_dataset
from swiftseg.data.opening import recognize
from swiftseg.data.own.dataset_file import dataset_file_text
from swiftseg.data.own.own_data import find_own_data
from tests.support.further_strangers import FURTHER_CASES
from tests.support.more_strangers import MORE_CASES
from tests.support.paired_strangers import PAIRED_CASES
from tests.support.published_strangers import PUBLISHED_CASES
from tests.support.strangers import CASES as FIRST_CASES
from tests.support.strangers import Right, binary

CASES = FIRST_CASES | MORE_CASES | PUBLISHED_CASES | FURTHER_CASES | PAIRED_CASES
OUTCOMES: dict[str, str] = {}


@pytest.mark.parametrize("name", CASES)
def test_a_strangers_folder_is_read_right_or_refused(name: str, tmp_path: Path):
    case, root = CASES[name], tmp_path / "data"
    case.make(root)
    diagnosis = check_data(root)
    broken = [finding.message for finding in diagnosis.findings if finding.severity == "broken"]
    if isinstance(case.right, str):
        assert any(case.right in message for message in broken), broken
        with pytest.raises(SwiftsegError):
            list(open_dataset(root, "train"))
        OUTCOMES[name] = f"refused: {broken[0]}".replace(str(root), "DIR")
        return
    assert broken == []
    assert diagnosis.splits == case.right.splits
    assert diagnosis.labels is not None
    assert len(diagnosis.labels) == case.right.num_classes
    assert case.right.names in (None, diagnosis.labels.names)
    OUTCOMES[name] = "read right" + ", another reading offered" * bool(diagnosis.others)


@pytest.mark.parametrize("name", [name for name, c in CASES.items() if isinstance(c.right, Right)])
def test_the_yaml_that_is_written_reads_the_same(name: str, tmp_path: Path):
    root = tmp_path / "data"
    CASES[name].make(root)
    diagnosis = check_data(root)
    if recognize(root) == "annotations":  # read by the tool's own reader, and in no need of a YAML
        return
    assert diagnosis.file is not None
    path = tmp_path / "dataset.yaml"
    path.write_text(dataset_file_text(diagnosis.file), encoding="utf-8")
    by_looking, described = find_own_data(root), find_own_data(path)
    assert [finding for finding in described.findings if finding.severity == "broken"] == []
    assert described.splits.keys() == by_looking.splits.keys() or described.splits.keys() == {
        "train"
    }
    assert sorted(p.mask for p in described.pairs) == sorted(p.mask for p in by_looking.pairs)
    one, other = open_dataset(root, "train"), open_dataset(path, "train")
    assert one.labels == other.labels
    for from_folder, from_yaml in zip(one, other, strict=True):
        np.testing.assert_array_equal(from_folder.image, from_yaml.image)
        np.testing.assert_array_equal(from_folder.mask, from_yaml.mask)


def test_numbered_masks_of_an_image_are_united(tmp_path: Path):
    CASES["numbers without a sign"].make(tmp_path / "data")
    samples = list(open_dataset(tmp_path / "data", "train"))
    assert [int(sample.mask.sum()) for sample in samples] == [
        int((binary(int(sample.name[:4])) > 0).sum()) for sample in samples
    ]


def test_the_table_of_all_outcomes():
    if len(OUTCOMES) < len(CASES):
        pytest.skip("the cases before have not all run here")
    table = "\n".join(f"{name:40} {outcome}" for name, outcome in OUTCOMES.items())
    counts = Counter(outcome.partition(":")[0].partition(",")[0] for outcome in OUTCOMES.values())
    assert len(CASES) >= 60
    print(table)  # noqa: T201 shown by pytest -s
    assert counts == {
        "read right": sum(isinstance(case.right, Right) for case in CASES.values()),
        "refused": sum(isinstance(case.right, str) for case in CASES.values()),
    }
