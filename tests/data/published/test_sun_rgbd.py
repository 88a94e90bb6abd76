from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.published.sun_rgbd import SUN_RGBD_LABELS
from tests.support.dataset_trees import filled, make_sun_rgbd, write_frame

# Of seg37list.mat, counted from 1.
SEG37 = {"wall": 1, "bed": 4, "bookshelf": 10, "floor_mat": 20, "night_stand": 32, "bag": 37}


def test_classes_are_those_of_seg37list():
    assert len(SUN_RGBD_LABELS) == 37
    assert {name: SUN_RGBD_LABELS.names.index(name) + 1 for name in SEG37} == SEG37


def test_the_test_s_masks_come_before_those_for_training(tmp_path: Path):
    make_sun_rgbd(tmp_path)
    masks = {s: [p.mask.name for p in open_dataset(tmp_path, s).pairs] for s in ("train", "test")}
    assert masks == {
        "train": ["img-005051.png", "img-005052.png"],
        "test": ["img-000001.png", "img-000002.png"],
    }
    mask = open_dataset(tmp_path, "test")[0].mask
    np.testing.assert_array_equal(mask, filled([255, *range(37)]))


def test_frames_of_other_names_are_refused(tmp_path: Path):
    make_sun_rgbd(tmp_path)
    write_frame(tmp_path / "SUNRGBD-train_images" / "NYU0001.jpg")
    with pytest.raises(SwiftsegError, match=r"NYU0001\.jpg: expected frames named img-000001\.jpg"):
        open_dataset(tmp_path, "train")
