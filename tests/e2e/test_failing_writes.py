"""Whichever step of writing fails, every file is the old one or the new one, and a line says so."""

import re
import shutil
from pathlib import Path

import pytest

from swiftseg.prediction.outputs import MARK
from swiftseg.trained import load_checkpoint
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.failing_writes import contents, failing_step
from tests.support.labeled_trees import write_pictures
from tests.support.shady_frames import write_shady_frames
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.tiny_training import OVERRIDES

# What differs from run to run: times, and the process that writes.
CHANGING = re.compile(
    r"(state|environment|summary)\.json|manifest\.csv|metrics\.csv|report\.html|receipts"
)


def check_every_step(
    capsys: pytest.CaptureFixture[str], folder: Path, *arguments: object, every: int = 1
) -> None:
    """Runs a command that writes below `folder`, and fails each of its steps in turn."""
    assert run_cli(capsys, *arguments).code == 0
    with failing_step(None) as steps:
        shutil.rmtree(folder)
        assert run_cli(capsys, *arguments).code == 0
    new = contents(folder)
    assert steps.done > 0
    for number in range(1, steps.done + 1, every):
        shutil.rmtree(folder)
        folder.mkdir()
        with failing_step(number) as failing:
            outcome = run_cli(capsys, *arguments)
        assert failing.has_failed
        found = contents(folder)
        assert outcome.code == 1, (number, outcome)
        assert "No space left on device" in outcome.err + outcome.out
        assert "unexpected" not in outcome.err
        assert set(found) <= set(new), (number, "something half-written is left")
        for name, content in found.items():
            if not CHANGING.search(name):
                assert content == new[name], (number, name)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_shade_model(tmp_path / "m.onnx")
    write_pictures(tmp_path / "in", 2, (12, 16))
    return tmp_path


def test_predict(here: Path, capsys: pytest.CaptureFixture[str]):
    kinds = ("--save", "overlay,labels,probs")
    check_every_step(
        capsys, here / "out", "predict", "in", "--model", "m.onnx", "--out", "out", *kinds
    )


def test_predict_keeps_what_was_there(here: Path, capsys: pytest.CaptureFixture[str]):
    command = ("predict", "in", "--model", "m.onnx", "--out", "out", "--save", "labels")
    run_cli(capsys, *command)
    new = contents(here / "out")
    del new[MARK]  # by which predict knows its outputs; it is written once
    for number in range(1, 2 * len(new) + 1):
        for name in new:
            (here / "out" / name).write_bytes(b"old")
        with failing_step(number):
            assert run_cli(capsys, *command).code == 1
        found = contents(here / "out")
        del found[MARK]
        assert set(found) == set(new)
        assert sum(content == b"old" for content in found.values()) == 1
        assert all(content in (b"old", new[name]) for name, content in found.items())


def test_label(here: Path, capsys: pytest.CaptureFixture[str]):
    options = ("--model", "m.onnx", "--engine", "local", "--workers", 1, "--batch", 2)
    check_every_step(capsys, here / "out", "label", "in", "--out", "out", *options)


def test_report(here: Path, capsys: pytest.CaptureFixture[str]):
    model = write_shade_model(here / "large.onnx", size_hw=(24, 32))
    data = write_shady_frames(here / "shady", 2, lambda index, mask: None)
    check_every_step(
        capsys, here / "out", "report", model, "--data", data, "--out", "out/report.html"
    )


@pytest.mark.slow
def test_export(here: Path, capsys: pytest.CaptureFixture[str]):
    command = ("export", "enet-toystreet", "--out", "out/m.onnx", "--size", "64x64")
    check_every_step(capsys, here / "out", *command)


@pytest.mark.slow
def test_train(here: Path, capsys: pytest.CaptureFixture[str]):
    """A failing step ends the training; what is there is whole, and a resume ends it."""
    make_tiny_camvid(here / "camvid")
    settings = [part for override in OVERRIDES for part in ("--set", override)]
    command = ("train", "enet_camvid", "--data", "camvid", "--out", "run", *settings)
    with failing_step(None) as steps:
        assert run_cli(capsys, *command).code == 0
    for number in range(1, steps.done + 1, 3):
        shutil.rmtree(here / "run")
        with failing_step(number):
            outcome = run_cli(capsys, *command)
        assert (outcome.code, "No space left" in outcome.err) == (1, True), (number, outcome)
        for path in (here / "run").glob("[!.]*.pt"):
            load_checkpoint(path)
        assert not list((here / "run").glob(".*-*")), "a temporary file is left"
        resumed = [*command, "--resume"] if (here / "run/recipe.yaml").exists() else command
        assert run_cli(capsys, *resumed).code == 0, number
