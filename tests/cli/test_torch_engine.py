"""Torch in the place of an engine, in the commands that run models."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from swiftseg.data.images.image_file import read_mask
from swiftseg.data.toy_street import ToyStreet
from tests.support.command_line import run_cli
from tests.support.tiny_training import run_tiny, tiny_recipe

pytestmark = pytest.mark.usefixtures("threads_given_back")

WEIGHTS = "enet-toystreet"


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A scene of another size than the weights' own."""
    file = tmp_path / "street.png"
    Image.fromarray(ToyStreet("test", 1, (120, 160))[0].image).save(file)
    return file


def labels(capsys, street: Path, model: Path | str, *options: str) -> np.ndarray:
    out = street.parent / "out"
    arguments = ["--model", model, "--out", out, "--save", "labels", *options]
    outcome = run_cli(capsys, "predict", street, *arguments)
    assert outcome.code == 0, outcome.err
    return read_mask(out / "labels" / "street.png")


@pytest.mark.parametrize("way", ["torch", "torch-channels-last"])
def test_shipped_weights_in_torch_give_the_engines_labels(capsys, street: Path, way: str):
    expected = labels(capsys, street, WEIGHTS)
    found = labels(capsys, street, WEIGHTS, "--backend", way, "--threads", "1")
    assert torch.get_num_threads() == 1
    assert np.mean(found == expected) >= 0.9999
    assert len(np.unique(found)) > 3


def test_a_checkpoint_needs_no_export(capsys, street: Path, tmp_path: Path):
    recipe = tiny_recipe("stages.0.epochs=1", "stages.1.epochs=1")
    checkpoint = run_tiny(tmp_path / "training", recipe)[0].best
    found = labels(capsys, street, checkpoint)
    exported = tmp_path / "m.onnx"
    assert run_cli(capsys, "export", checkpoint, "--out", exported).code == 0
    assert np.mean(found == labels(capsys, street, exported)) >= 0.999


def test_json_names_what_ran(capsys, street: Path):
    options = ["--backend", "torch", "--precision", "bf16", "--out", street.parent / "out"]
    outcome = run_cli(capsys, "predict", street, "--model", WEIGHTS, *options, "--json")
    told = json.loads(outcome.out)
    assert (told["backend"], told["precision"]) == ("torch", "bf16")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            "best.pt",
            ["--backend", "openvino"],
            "torch runs best.pt, and openvino runs exported files",
        ),
        ("mine.onnx", ["--backend", "torch"], "torch runs checkpoints (.pt), imported weights"),
        (WEIGHTS, ["--backend", "torch", "--precision", "auto"], "f32, bf16 or fp16"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    capsys, street: Path, command: str, model: str, options: list[str], message: str
):
    given = [street, "--model", model] if command == "predict" else [model, "--data", street.parent]
    outcome = run_cli(capsys, command, *given, *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_precision_that_torch_lacks_is_one_line(capsys, street: Path):
    options = ["--backend", "torch", "--precision", "int8"]
    outcome = run_cli(capsys, "predict", street, "--model", WEIGHTS, *options)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "unknown precision of torch 'int8'" in outcome.err
