"""What `--calibration` takes: all that training takes, in every size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.inference.calibration_frames import FEWEST_FRAMES, MOST_FRAMES, read_calibration
from swiftseg.inference.fitting import inside
from tests.support.exported import shade_spec
from tests.support.mask_encodings import COLORS, ENCODINGS, write_pairs
from tests.support.tiny_camvid import make_tiny_camvid

SIZE_HW = (12, 16)
SPEC = shade_spec()
LABELS = SPEC.labels
# An eighth of usual sizes: VGA, 720p, 1080p, nHD, SVGA, a square, a phone held upright, KITTI.
SIZES = [(60, 80), (90, 160), (135, 240), (45, 80), (75, 100), (80, 80), (160, 90), (47, 155)]


def write_frames(folder: Path, count: int, size_hw: tuple[int, int] = SIZE_HW) -> Path:
    folder.mkdir(parents=True)
    frames = np.random.default_rng(0).integers(0, 256, (count, *size_hw, 3), dtype=np.uint8)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:03}.png")
    return folder


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size_hw", SIZES)
def test_all_that_training_takes_is_taken(tmp_path: Path, encoding: str, size_hw: tuple[int, int]):
    source = write_pairs(tmp_path, encoding, size_hw, FEWEST_FRAMES)
    labels = open_dataset(source, "val").labels
    input_spec = replace(SPEC.input, size_hw=(44, 80))  # 352x640, an eighth of it
    seen = read_calibration(source, replace(SPEC, labels=labels, input=input_spec))
    assert len(seen.frames) == len(seen.masks) == FEWEST_FRAMES
    colors = np.array(COLORS[:1] + (((0, 0, 0),) if encoding == "binary" else COLORS[1:]))
    for frame, area, mask in zip(seen.frames, seen.areas, seen.masks, strict=True):
        assert frame.shape == (44, 80, 3)
        assert mask.shape == size_hw
        shown = frame if area is None else inside(frame, area)
        center = shown[shown.shape[0] // 6, shown.shape[1] // 6]
        label = mask[size_hw[0] // 6, size_hw[1] // 6]
        if encoding in ("index", "grays"):  # whose classes keep the order of the colors
            assert np.abs(colors[label] - center).max() < 40


def test_a_narrow_picture_is_letterboxed_as_predict_does_it(tmp_path: Path):
    folder = write_frames(tmp_path / "frames", FEWEST_FRAMES, (32, 16))
    seen = read_calibration(folder, SPEC)
    assert seen.areas[0] == (0, 5, 12, 6)
    assert not seen.masks


def test_indices_without_names_are_the_model_s(tmp_path: Path):
    write_frames(tmp_path / "images", FEWEST_FRAMES)
    (tmp_path / "masks").mkdir()
    for index in range(FEWEST_FRAMES):
        mask = np.full(SIZE_HW, index % len(LABELS), np.uint8)
        Image.fromarray(mask).save(tmp_path / f"masks/{index:03}.png")
    seen = read_calibration(tmp_path, SPEC)
    assert len(seen.frames) == len(seen.masks) == FEWEST_FRAMES
    assert {int(mask[0, 0]) for mask in seen.masks} == {0, 1, 2}


@pytest.mark.parametrize(("most_pixels", "step"), [(24 * 32, 1), (24 * 32 - 1, 2)])
def test_the_val_split_of_labeled_data_is_taken(
    tmp_path: Path, most_pixels: int, step: int, monkeypatch
):
    monkeypatch.setattr("swiftseg.inference.calibration_frames.MOST_MASK_PIXELS", most_pixels)
    make_tiny_camvid(tmp_path, frames={"train": 4, "val": FEWEST_FRAMES})
    data = open_dataset(tmp_path, "val")
    spec = replace(SPEC, labels=CAMVID_LABELS, input=replace(SPEC.input, size_hw=(24, 32)))
    seen = read_calibration(tmp_path, spec)
    assert len(seen.frames) == len(seen.masks) == FEWEST_FRAMES
    np.testing.assert_array_equal(seen.frames[3], data[3].image)
    np.testing.assert_array_equal(seen.masks[3], data[3].mask[::step, ::step])
    with pytest.raises(SwiftsegError, match=r"has the classes sky, .* where the model has "):
        read_calibration(tmp_path, SPEC)


def test_void_is_a_class_where_the_model_has_it(tmp_path: Path):
    make_tiny_camvid(tmp_path, frames={"train": 1, "val": FEWEST_FRAMES})
    names, palette = (*CAMVID_LABELS.names, "void"), (*CAMVID_LABELS.palette, (0, 0, 0))
    with_void = replace(CAMVID_LABELS, names=names, palette=palette, ignore_index=None)
    seen = read_calibration(tmp_path, replace(SPEC, labels=with_void))
    assert seen.ignore_index is None
    assert max(mask.max() for mask in seen.masks) == len(CAMVID_LABELS)


def test_frames_of_another_size_are_seen_as_predict_shows_them(tmp_path: Path):
    folder = write_frames(tmp_path / "frames", FEWEST_FRAMES, (24, 32))
    frame = read_calibration(folder, SPEC).frames[0]
    image = Image.open(folder / "000.png").resize(SIZE_HW[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(frame, np.asarray(image))


def test_of_many_frames_some_are_taken(tmp_path: Path):
    folder = write_frames(tmp_path / "frames", MOST_FRAMES + 9)
    assert len(read_calibration(folder, SPEC).frames) == MOST_FRAMES


def test_unfit_folders_are_told(tmp_path: Path):
    few = write_frames(tmp_path / "few", 5)
    with pytest.raises(SwiftsegError, match=r"few: 5 frames; calibration takes 16 or more"):
        read_calibration(few, SPEC)
    with pytest.raises(SwiftsegError, match=r"nowhere: no such folder"):
        read_calibration(tmp_path / "nowhere", SPEC)
