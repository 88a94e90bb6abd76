from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import UsageError
from swiftseg.inference import Segmenter
from swiftseg.inference.calibration_frames import FEWEST_FRAMES
from swiftseg.inference.open_model import choose_engine
from swiftseg.runtimes import trial
from swiftseg.runtimes.base import Engine
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model

SIZE_HW = (12, 16)


def write_frames(folder: Path, count: int, size_hw: tuple[int, int] = SIZE_HW) -> Path:
    folder.mkdir(parents=True)
    frames = np.random.default_rng(0).integers(0, 256, (count, *size_hw, 3), dtype=np.uint8)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:03}.png")
    return folder


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "ROUNDS", 1)  # a process each is enough here
    return write_shade_model(tmp_path / "m.onnx")


def test_named_engines_are_taken(model: Path):
    assert choose_engine(model, None, "f32", None, None) == Engine("onnxruntime", "f32")
    assert choose_engine(model, "openvino", "bf16", None, None) == Engine("openvino", "bf16")


def test_calibration_without_auto_is_refused(model: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="--precision auto is judged on your own frames"):
        Segmenter.load(model, calibration=tmp_path)


def test_auto_precision_from_the_command_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    frames = write_frames(tmp_path / "frames", FEWEST_FRAMES)
    common = ["predict", frames / "000.png", "--model", model, "--out", tmp_path / "out"]
    refused = run_cli(capsys, *common, "--precision", "auto")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--calibration DIR" in refused.err
    done = run_cli(capsys, *common, "--precision", "auto", "--calibration", frames)
    assert done.code == 0, done.err
    assert (tmp_path / "out/labels/000.png").is_file()
