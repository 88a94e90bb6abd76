from pathlib import Path

import numpy as np
import pytest

from swiftseg.data import check_data, open_dataset
from swiftseg.data.toy_street import ToyStreet
from tests.support.command_line import run_cli


def test_sample_data_are_the_rendered_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "street"
    outcome = run_cli(capsys, "data", "sample", out, "--scenes", "10")
    assert outcome.code == 0
    assert f"{out}: train 8, val 2" in outcome.out
    diagnosis = check_data(out)
    assert diagnosis.splits == {"train": 8, "val": 2}
    assert [finding for finding in diagnosis.findings if finding.severity == "broken"] == []
    read, rendered = open_dataset(out, "val"), ToyStreet("val", 2)
    assert read.labels == rendered.labels
    for one, other in zip(read, rendered, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_a_folder_that_holds_something_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "mine.txt").write_text("kept")
    outcome = run_cli(capsys, "data", "sample", tmp_path)
    assert outcome.code == 1
    assert "holds something already" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
