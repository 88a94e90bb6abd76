from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.inference import Segmenter
from swiftseg.inference.calibration_frames import FEWEST_FRAMES, MOST_FRAMES, read_calibration
from swiftseg.inference.open_model import choose_engine
from swiftseg.runtimes import trial
from swiftseg.runtimes.base import Engine
from tests.support.command_line import run_cli
from tests.support.exported import shade_spec, write_shade_model
from tests.support.tiny_camvid import make_tiny_camvid

SIZE_HW = (12, 16)
LABELS = shade_spec().labels


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


def test_frames_and_masks_are_read_together(tmp_path: Path):
    write_frames(tmp_path / "images", FEWEST_FRAMES)
    (tmp_path / "masks").mkdir()
    for index in range(FEWEST_FRAMES):
        mask = np.full(SIZE_HW, index % len(LABELS), np.uint8)
        Image.fromarray(mask).save(tmp_path / f"masks/{index:03}.png")
    calibration = read_calibration(tmp_path, SIZE_HW, LABELS)
    assert len(calibration.frames) == len(calibration.masks) == FEWEST_FRAMES
    assert [int(mask[0, 0]) for mask in calibration.masks[:3]] == [0, 1, 2]


def test_the_val_split_of_labeled_data_is_taken(tmp_path: Path):
    make_tiny_camvid(tmp_path, frames={"train": 4, "val": FEWEST_FRAMES})
    data = open_dataset(tmp_path, "val")
    calibration = read_calibration(tmp_path, (24, 32), CAMVID_LABELS)
    assert len(calibration.frames) == len(calibration.masks) == FEWEST_FRAMES
    np.testing.assert_array_equal(calibration.frames[3], data[3].image)
    np.testing.assert_array_equal(calibration.masks[3], data[3].mask)
    with pytest.raises(SwiftsegError, match=r"has the classes sky, .* where the model has the"):
        read_calibration(tmp_path, (24, 32), LABELS)


def test_frames_of_another_size_are_seen_as_predict_shows_them(tmp_path: Path):
    folder = write_frames(tmp_path / "frames", FEWEST_FRAMES, (24, 32))
    frame = read_calibration(folder, SIZE_HW, LABELS).frames[0]
    image = Image.open(folder / "000.png").resize(SIZE_HW[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(frame, np.asarray(image))


def test_of_many_frames_some_are_taken(tmp_path: Path):
    folder = write_frames(tmp_path / "frames", MOST_FRAMES + 9)
    assert len(read_calibration(folder, SIZE_HW, LABELS).frames) == MOST_FRAMES


def test_unfit_folders_are_told(tmp_path: Path):
    few = write_frames(tmp_path / "few", 5)
    with pytest.raises(SwiftsegError, match=r"few: 5 frames; calibration takes 16 or more"):
        read_calibration(few, SIZE_HW, LABELS)
    other = write_frames(tmp_path / "other", 16, (16, 12))
    with pytest.raises(SwiftsegError, match=r"000\.png is 16x12; .* the model's 12x16"):
        read_calibration(other, SIZE_HW, LABELS)
    with pytest.raises(SwiftsegError, match=r"nowhere: no such folder"):
        read_calibration(tmp_path / "nowhere", SIZE_HW, LABELS)
