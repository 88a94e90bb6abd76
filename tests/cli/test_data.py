import json
from pathlib import Path

import numpy as np
import pytest

from swiftseg.data import open_dataset
from tests.support.broken_datasets import CASES, make_good
from tests.support.command_line import run_cli


def test_a_good_folder_gets_a_yaml_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root, out = make_good(tmp_path / "field"), tmp_path / "out"
    result = run_cli(capsys, "data", "check", root, "--out", out)
    assert (result.code, result.err) == (0, "")
    assert "fit for training" in result.out
    assert sorted(path.name for path in out.iterdir()) == ["contact_sheet.png", "dataset.yaml"]
    assert len(open_dataset(out / "dataset.yaml", "val")) == 2


def test_the_edited_yaml_is_what_is_read_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    root = make_good(tmp_path / "field")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = run_cli(capsys, "data", "check", root)
    assert result.out.splitlines()[-1] == f"next: swiftseg train auto --data {root}"
    assert not list((tmp_path / "elsewhere").iterdir())
    described, sheet = root / "dataset.yaml", root / "data_check/contact_sheet.png"
    assert sheet.is_file()
    text = described.read_text().replace("class_1", "crop")
    assert "path:" not in text  # so that the folder can be moved
    described.write_text(text)
    names = open_dataset(root, "train").labels.names
    assert "crop" in names
    again = run_cli(capsys, "data", "check", root)
    assert (again.code, described.read_text()) == (0, text)
    assert "crop" in again.out
    moved = root.rename(tmp_path / "moved")
    assert open_dataset(moved, "train").labels.names == names


def test_another_reading_keeps_the_edited_yaml_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = make_good(tmp_path / "field")
    run_cli(capsys, "data", "check", root)
    described = root / "dataset.yaml"
    edited = described.read_text().replace("class_1", "crop")
    described.write_text(edited)
    assert run_cli(capsys, "data", "check", root, "--reading", "1").code == 0
    assert (root / "dataset.before.yaml").read_text() == edited
    assert "class_1" in described.read_text()


def test_a_list_of_pairs_is_described_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make_good(tmp_path / "field")
    rows = [
        f"images/{split}/frame_{i}.jpg masks/{split}/frame_{i}.png"
        for split, count in (("train", 6), ("val", 2))
        for i in range(count)
    ]
    (root / "pairs.txt").write_text("\n".join(rows))
    result = run_cli(capsys, "data", "check", root / "pairs.txt")
    assert result.out.splitlines()[-1] == f"next: swiftseg train auto --data {root / 'pairs.yaml'}"
    assert len(open_dataset(root / "pairs.yaml", "train")) == 6


def test_json_has_the_three_weightings(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make_good(tmp_path / "field")
    result = run_cli(capsys, "data", "check", root, "--out", tmp_path / "out", "--json")
    report = json.loads(result.out)
    assert report["broken"] is False
    assert report["splits"] == {"train": 6, "val": 2}
    masks = [sample.mask for sample in open_dataset(root, "train")]
    for index, row in enumerate(report["classes"]):
        share = np.mean([mask == index for mask in masks])
        assert row["share"] == pytest.approx(share)
        assert row["weights"]["enet"] == pytest.approx(1 / np.log(1.02 + share))
        assert set(row["weights"]) == {"enet", "median_frequency", "effective_number"}


def test_broken_data_end_with_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = CASES["a truncated image"].make(tmp_path / "field")
    result = run_cli(capsys, "data", "check", root, "--out", tmp_path / "out", "--json")
    assert result.code == 1
    (finding,) = json.loads(result.out)["findings"]
    assert (finding["severity"], finding["code"]) == ("broken", "unreadable_image")
    assert finding["files"] == [str(root / "images/train/frame_0.jpg")]


def test_where_nothing_can_be_written_nothing_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    root = CASES["a truncated image"].make(tmp_path / "field")
    (tmp_path / "file").write_text("mine")
    result = run_cli(capsys, "data", "check", root, "--out", tmp_path / "file" / "out")
    assert (result.code, result.out) == (1, "")
    assert f"cannot write to the folder {tmp_path / 'file'}: " in result.err


def test_what_is_not_there_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    result = run_cli(capsys, "data", "check", tmp_path / "no.yaml", "--out", out)
    assert result.code == 1
    assert f"broken missing_path: {tmp_path / 'no.yaml'}: no such file\n" in result.out
    assert not out.exists()


def test_every_case_is_told_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for number, (name, case) in enumerate(CASES.items()):
        root = case.make(tmp_path / str(number))
        result = run_cli(capsys, "data", "check", root, "--out", tmp_path / "out")
        assert result.code == (case.severity == "broken"), name
        assert f"{case.severity} {case.code}: " in result.out, name
