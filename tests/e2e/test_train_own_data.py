"""From a folder of a few pictures to a model that segments one, by one command."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from swiftseg.inference import Segmenter
from swiftseg.models import create_model
from swiftseg.runs import RunFolder
from swiftseg.trained.checkpoint import load_checkpoint
from swiftseg.training import train
from tests.support.broken_datasets import CASES, make_good
from tests.support.command_line import run_cli
from tests.support.parsed_html import parse_html

FEW = ["--set", "stages.0.epochs=2", "--set", "validate_every=2"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight pairs in two folders, as a stranger has them: no splits, no YAML, 0 and 255."""
    root = make_good(tmp_path / "made", num_classes=2)
    plants = tmp_path / "plants"
    for folder in ("images", "masks"):
        (plants / folder).mkdir(parents=True)
        for number, path in enumerate(sorted((root / folder).rglob("frame_*"))):
            pixels = np.array(Image.open(path))
            pixels = pixels if folder == "images" else pixels * 255
            Image.fromarray(pixels).save(plants / folder / f"{number}.png")
    return plants


def test_one_command_from_pictures_to_a_model(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = tmp_path / "run"
    weights = tmp_path / "start.safetensors"
    start = create_model("segfast", num_classes=5)
    save_file({name: tensor.clone() for name, tensor in start.state_dict().items()}, weights)
    result = run_cli(
        capsys,
        "train",
        "segfast",
        "--data",
        pictures,
        "--out",
        run,
        "--weights",
        weights,
        *FEW,
    )
    assert result.code == 0, result.err
    assert "tensors filled; fresh: " in result.out + result.err
    assert f"{run / 'model.onnx'}: segfast-plants, 2 classes, mIoU " in result.out
    assert "on 2 frames of val" in result.out
    assert load_checkpoint(run / "best.pt").recipe.input.size_hw == (64, 64)
    segmenter = Segmenter.load(run / "model.onnx")
    assert segmenter.spec.labels.names == ("background", "foreground")
    assert segmenter(pictures / "images" / "0.png").label_map.shape == (48, 64)
    page = parse_html((run / "report.html").read_text("utf-8"))
    assert f"{run / 'report.html'}: segfast-plants on val of {pictures}, mIoU " in result.out
    assert {"What was measured", "Training"} <= {h.text for h in page.all("h2")}
    assert len(page.all("div", "frame")) == 2
    longer = train(resume=True, out=run, epochs=3)
    assert (longer.folder, longer.scored_on, longer.evaluation.frames) == (run, "val", 2)
    assert (longer.best, longer.report) == (run / "best.pt", run / "report.html")
    assert longer.model == run / "model.onnx"
    assert len(RunFolder(run).read_history()) == 3
    assert not list(run.glob(".*"))


@pytest.mark.parametrize("network", ["enet", "enet_camvid"])
def test_training_refuses_what_the_doctor_calls_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], network: str
):
    root = CASES["a mask of other proportions"].make(tmp_path / "data")
    found = run_cli(capsys, "data", "check", root, "--out", tmp_path / "check")
    plain = ("--set", "precision=f32", "--set", "compile=false")
    result = run_cli(capsys, "train", network, "--data", root, "--out", tmp_path / "run", *plain)
    assert (found.code, result.code) == (1, 1)
    words = result.err.removeprefix("error: ").partition(";")[0]
    assert "the mask is 20x32 where its image frame_0.jpg is 48x64" in words
    assert words in found.out
    assert not (tmp_path / "run").exists()


def test_a_name_that_is_neither_recipe_nor_network(capsys: pytest.CaptureFixture[str]):
    result = run_cli(capsys, "train", "enett", "--data", ".")
    assert result.code == 2
    assert "unknown recipe 'enett'; did you mean enet" in result.err


def test_weights_that_are_not_there(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "run"
    result = run_cli(
        capsys, "train", "enet", "--data", pictures, "--out", out, "--weights", "no.pt", *FEW
    )
    assert result.code == 2
    assert "no.pt: no such file of weights" in result.err
