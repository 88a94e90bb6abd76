from pathlib import Path

import pytest

from swiftseg.training.training_data import split_opener
from tests.support.broken_datasets import CASES


@pytest.mark.parametrize(
    ("name", "words"),
    [("images beside the splits", "not used"), ("colors saved as JPEG", "saved as JPEG")],
)
def test_the_doctors_warnings_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
):
    open_split = split_opener("enet", {"": str(CASES[name].make(tmp_path / "data"))})
    assert len(open_split(None, "train")) == 6
    assert len(open_split(None, "val")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ")
    assert words in line


def test_a_process_that_a_launcher_started_leaves_them_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RANK", "0")
    root = CASES["images beside the splits"].make(tmp_path / "data")
    split_opener("enet", {"": str(root)})(None, "train")
    assert capsys.readouterr().err == ""
