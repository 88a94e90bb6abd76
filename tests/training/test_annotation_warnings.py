"""Training tells what an export of a labeling tool has lost, once."""

from pathlib import Path

import pytest

from swiftseg.training.training_data import split_opener
from tests.support.annotation_exports import make_labelme


def test_annotations_that_are_left_out_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RANK", raising=False)
    make_labelme(tmp_path)
    (tmp_path / "img_2.json").write_text("{")
    open_split = split_opener("fast_scnn", {"": str(tmp_path)})
    frames = [*open_split(None, "train"), *open_split(None, "val"), *open_split(None, "train")]
    assert {frame.name for frame in frames} == {f"img_{i}" for i in (0, 1, 3, 4, 5, 6, 7)}
    told = capsys.readouterr().err
    assert told.count("warning: ") == 1
    assert f"{tmp_path / 'img_2.json'}: the JSON is broken" in told
    assert "this image is left out" in told
