from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.published.camvid_rgb import CAMVID_32_LABELS, COLORS, split_of
from tests.support.dataset_trees import camvid_colors, filled, make_camvid_rgb, write

# The grouping of SegNet's authors, as MathWorks' SegNet example lists it.
SEGNET_GROUPS = {
    "sky": "Sky",
    "building": "Bridge Building Wall Tunnel Archway",
    "pole": "Column_Pole TrafficCone",
    "road": "Road LaneMkgsDriv LaneMkgsNonDriv",
    "sidewalk": "Sidewalk ParkingBlock RoadShoulder",
    "tree": "Tree VegetationMisc",
    "sign": "SignSymbol Misc_Text TrafficLight",
    "fence": "Fence",
    "car": "Car SUVPickupTruck Truck_Bus Train OtherMoving",
    "pedestrian": "Pedestrian Child CartLuggagePram Animal",
    "bicyclist": "Bicyclist MotorcycleScooter",
}


def test_the_32_colors_are_the_released_ones():
    assert {row.name: row.color for row in COLORS} == camvid_colors()
    assert len(COLORS) == 32
    assert len(CAMVID_32_LABELS) == 31


def test_each_color_goes_to_its_class_among_11(tmp_path: Path):
    mask = open_dataset(make_camvid_rgb(tmp_path), "train")[0].mask
    group_of = {name: group for group, names in SEGNET_GROUPS.items() for name in names.split()}
    expected = [
        CAMVID_LABELS.names.index(group_of[name]) if name != "Void" else 11
        for name in camvid_colors()
    ]
    np.testing.assert_array_equal(mask, filled(expected))


def test_all_32(tmp_path: Path):
    sample = open_dataset(make_camvid_rgb(tmp_path), "train", "camvid_rgb_32")[0]
    colors = np.vstack([CAMVID_32_LABELS.colors, [(0, 0, 0)]])
    np.testing.assert_array_equal(colors[sample.mask], filled(list(camvid_colors().values())))


def test_customary_splits(tmp_path: Path):
    make_camvid_rgb(tmp_path)
    names = {s: [p.name for p in open_dataset(tmp_path, s).pairs] for s in ("train", "val", "test")}
    assert names["val"] == ["0016E5_07959", "0016E5_08159"]
    assert names["test"] == ["0001TP_008550", "Seq05VD_f00000"]
    assert len(names["train"]) == 5


def test_splits_have_the_customary_sizes():
    """The frames as released: their number in each sequence and their steps."""
    frames = [f"0001TP_{number:06d}" for number in range(6690, 10381, 30)]
    frames += [f"0006R0_f{number:05d}" for number in range(930, 3931, 30)]
    frames += [f"Seq05VD_f{number:05d}" for number in range(0, 5101, 30)]
    frames += [f"0016E5_{number:05d}" for number in range(7959, 8160, 2)]
    counts = dict.fromkeys(("train", "val", "test"), 0)
    for name in frames:
        counts[split_of(name)] += 1
    others_of_0016e5 = 204
    assert counts == {"train": 367 - others_of_0016e5, "val": 101, "test": 233}


def test_a_color_that_is_no_class(tmp_path: Path):
    make_camvid_rgb(tmp_path)
    pixels = filled([(1, 2, 3)])
    write(tmp_path / "LabeledApproved_full" / "0001TP_006690_L.png", pixels)
    with pytest.raises(SwiftsegError, match=r"0001TP_006690_L.png: colors .*\(1, 2, 3\) \(192 pix"):
        open_dataset(tmp_path, "train")[0]
