from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.cli.export import parse_size
from swiftseg.core import UsageError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.inference import Segmenter, find_model
from swiftseg.runtimes import read_spec
from swiftseg.trained.checkpoint import Checkpoint, TrainingState, save_checkpoint
from swiftseg.weights import shipped_models
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.settled_networks import settled_enet, street_frames
from tests.support.tiny_training import tiny_recipe


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = tiny_recipe()
    network = settled_enet(recipe.input.to_spec(), num_classes=11)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    save_checkpoint(
        Checkpoint(recipe, CAMVID_LABELS, TrainingState(1, 1), network.state_dict()), path
    )
    return path


def test_a_checkpoint_becomes_a_file_that_segments(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out, frames = tmp_path / "made" / "model.onnx", tmp_path / "frames"
    frames.mkdir()
    for index, frame in enumerate(street_frames((32, 40), 3)):
        Image.fromarray(frame).save(frames / f"{index}.png")
    options = ["--size", "32x40", "--name", "mine", "--frames", str(frames)]
    result = run_cli(capsys, "export", checkpoint, "--out", out, *options)
    assert result.code == 0, result.err
    assert "3 frames" in result.out
    assert "onnxruntime" in result.out
    segmenter = Segmenter.load(out)
    assert (segmenter.spec.name, segmenter.spec.input.size_hw) == ("mine", (32, 40))
    label_map = segmenter(np.zeros((30, 50, 3), np.uint8)).label_map
    assert label_map.shape == (30, 50)


def test_half_precision_halves_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "half.onnx"
    result = run_cli(capsys, "export", "enet-camvid", "--out", out, "--precision", "fp16")
    assert result.code == 0, result.err
    assert "of float32's labels on 4 frames" in " ".join(result.out.split())
    assert out.stat().st_size < 0.6 * find_model("enet-camvid").exported.stat().st_size
    assert Segmenter.load(out).spec.name == "enet-camvid"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--output", "label"], 2, "unknown output 'label'; did you mean labels?"),
        (["--size", "360"], 2, "expected --size as HEIGHTxWIDTH, such as 360x480, got '360'"),
        (["--frames", "nowhere"], 1, "nowhere"),
        (["--precision", "fp16", "--calibration", "nowhere"], 2, "is for --precision int8"),
        (["--precision", "int9"], 2, "unknown precision 'int9'; did you mean int8?"),
        (["--precision", "int8"], 2, "name a folder with --calibration DIR"),
        (["--format", "ncnn", "--precision", "int8"], 2, "unknown precision of ncnn 'int8'"),
        (["--calibration", "nowhere"], 2, "--calibration is for --precision int8"),
    ],
)
def test_bad_options_leave_no_file(
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    message: str,
):
    result = run_cli(capsys, "export", checkpoint, "--out", tmp_path / "model.onnx", *options)
    assert result.code == code
    assert message in result.err
    assert not list(tmp_path.iterdir())


def test_a_missing_checkpoint_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    result = run_cli(capsys, "export", tmp_path / "no.pt", "--out", tmp_path / "model.onnx")
    assert result.code == 1
    assert "no.pt: no such file" in result.err


def test_int8_of_few_frames_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model, frames = write_shade_model(tmp_path / "m.onnx"), tmp_path / "frames"
    frames.mkdir()
    for index, frame in enumerate(street_frames((12, 16), 5)):
        Image.fromarray(frame).save(frames / f"{index:03}.png")
    options = ["--precision", "int8", "--calibration", frames]
    result = run_cli(capsys, "export", model, "--out", tmp_path / "int8.onnx", *options)
    assert result.code == 1
    assert "5 frames; calibration takes 16 or more" in result.err
    assert result.err.count("\n") == 1


def test_options_of_checkpoints_are_refused_for_exported_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    model = write_shade_model(tmp_path / "shades.onnx")
    options = ["--precision", "int8", "--calibration", tmp_path, "--size", "12x16"]
    result = run_cli(capsys, "export", model, "--out", tmp_path / "int8.onnx", *options)
    assert result.code == 2
    assert "shades.onnx is exported already" in result.err


def test_shipped_weights_are_exported_at_another_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "large.onnx"
    result = run_cli(capsys, "export", "enet-toystreet", "--out", out, "--size", "128x160")
    assert result.code == 0, result.err
    spec, shipped = read_spec(out), read_spec(shipped_models()["enet-toystreet"])
    assert spec.input.size_hw == (128, 160)
    assert (spec.labels, spec.license_note) == (shipped.labels, shipped.license_note)


def test_sizes_are_height_and_width():
    assert parse_size("360x480") == (360, 480)
    for text in ("0x5", "5x", "x5", "-3x4", "3.5x4", "100000x4"):
        with pytest.raises(UsageError, match="expected --size"):
            parse_size(text)
