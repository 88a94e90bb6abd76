from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.cli.export import parse_size
from swiftseg.core import UsageError
from swiftseg.data.camvid import CAMVID_LABELS
from swiftseg.inference import Segmenter
from swiftseg.training.checkpoint import Checkpoint, save_checkpoint
from tests.support.command_line import run_cli
from tests.support.settled_networks import settled_enet, street_frames
from tests.support.tiny_training import tiny_recipe


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = tiny_recipe()
    network = settled_enet(recipe.input.to_spec(), num_classes=11)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    save_checkpoint(
        Checkpoint(recipe, CAMVID_LABELS, stage=1, epoch=1, network=network.state_dict()), path
    )
    return path


def test_a_checkpoint_becomes_a_file_that_segments(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out, frames = tmp_path / "made" / "model.onnx", tmp_path / "frames"
    frames.mkdir()
    for index, frame in enumerate(street_frames((30, 50), 3)):
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


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--output", "label"], 2, "unknown output 'label'; did you mean labels?"),
        (["--size", "360"], 2, "expected --size as HEIGHTxWIDTH, such as 360x480, got '360'"),
        (["--frames", "nowhere"], 1, "nowhere"),
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
    assert "no.pt: no such checkpoint" in result.err


def test_sizes_are_height_and_width():
    assert parse_size("360x480") == (360, 480)
    for text in ("0x5", "5x", "x5", "-3x4", "3.5x4", "100000x4"):
        with pytest.raises(UsageError, match="expected --size"):
            parse_size(text)
