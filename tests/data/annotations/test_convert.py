"""`swiftseg data convert`, and what check makes of an export and of what was written."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data import open_dataset
from tests.support.annotation_exports import EXPORTS, make_coco, make_labelme, make_yolo
from tests.support.command_line import run_cli


@pytest.fixture(params=EXPORTS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_what_is_written_is_what_the_export_means(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    expected = EXPORTS[kind].make(tmp_path / "data")
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 0
    assert "3 classes" in outcome.out
    masks = sorted((tmp_path / "out" / "masks").rglob("*.png"))
    assert len(masks) == len(expected)
    for path in masks:
        with Image.open(path) as mask:
            assert mask.mode == "P"
            np.testing.assert_array_equal(np.array(mask), expected[path.stem])
    read = [open_dataset(tmp_path / "out", split) for split in ("train", "val")]
    assert {dataset.labels.names for dataset in read} == {("background", "leaf", "stem")}
    for sample in (sample for dataset in read for sample in dataset):
        np.testing.assert_array_equal(sample.mask, expected[Path(sample.name).name])


def test_check_calls_exports_and_what_is_written_fit(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    EXPORTS[kind].make(tmp_path / "data")
    run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "written")
    for source in ("data", "written"):
        outcome = run_cli(
            capsys, "data", "check", tmp_path / source, "--out", tmp_path / "checked", "--json"
        )
        found = json.loads(outcome.out)
        broken = [one for one in found["findings"] if one["severity"] == "broken"]
        assert not broken
        assert outcome.code == 0
        assert [row["name"] for row in found["classes"]] == ["background", "leaf", "stem"]


def test_a_dataset_yaml_has_the_last_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_coco(tmp_path / "data")
    run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    make_coco(tmp_path / "out" / "raw")
    described = tmp_path / "out" / "dataset.yaml"
    described.write_text(described.read_text().replace("leaf", "blade"))
    outcome = run_cli(
        capsys, "data", "check", tmp_path / "out", "--out", tmp_path / "checked", "--json"
    )
    classes = [row["name"] for row in json.loads(outcome.out)["classes"]]
    assert classes == ["background", "blade", "stem"]
    assert open_dataset(tmp_path / "out", "train").labels.names == tuple(classes)


def test_pictures_are_hard_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_coco(tmp_path / "data")
    run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    written = tmp_path / "out" / "images" / "img_0.jpg"
    assert written.samefile(tmp_path / "data" / "images" / "img_0.jpg")


def test_one_split_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make_yolo(tmp_path / "data")
    out = tmp_path / "out"
    run_cli(capsys, "data", "convert", tmp_path / "data", out, "--split", "val")
    assert {path.parent.name for path in out.rglob("*.png")} == {"val"}
    outcome = run_cli(
        capsys, "data", "convert", tmp_path / "data", tmp_path / "b", "--split", "vla"
    )
    assert outcome.code == 2
    assert "unknown split 'vla'; did you mean val" in outcome.err
    assert not (tmp_path / "b").exists()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_coco(tmp_path / "data")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 1
    assert "holds something already" in outcome.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_what_is_no_export_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "data").mkdir()
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 1
    assert "no annotations of a known labeling tool (coco, coco_panoptic, " in outcome.err


def test_a_broken_picture_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_coco(tmp_path / "data")
    (tmp_path / "data" / "images" / "img_0.jpg").write_bytes(b"no picture")
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 1
    assert "not written: " in outcome.err
    assert "img_0.jpg: not an image" in outcome.err
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 7
    assert len(list((tmp_path / "out" / "images").iterdir())) == 7
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_broken_annotation_is_told_by_convert_and_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_labelme(tmp_path / "data")
    broken = tmp_path / "data" / "img_2.json"
    broken.write_text(broken.read_text()[:-30])
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 0
    assert f"warning: {broken}: the JSON is broken" in outcome.err
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 7
    checked = run_cli(capsys, "data", "check", tmp_path / "data", "--out", tmp_path / "c", "--json")
    [finding] = [
        one for one in json.loads(checked.out)["findings"] if one["code"] == "unreadable_annotation"
    ]
    assert finding["message"].startswith(f"{broken}: the JSON is broken")
    assert checked.code == 0


def test_nothing_that_can_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make_coco(tmp_path / "data")
    for path in (tmp_path / "data" / "images").iterdir():
        path.write_bytes(b"")
    outcome = run_cli(capsys, "data", "convert", tmp_path / "data", tmp_path / "out")
    assert outcome.code == 1
    assert not (tmp_path / "out" / "dataset.yaml").exists()
