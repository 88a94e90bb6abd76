from pathlib import Path

import numpy as np
import pytest
from torchvision.models._meta import _VOC_CATEGORIES

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.published.voc import VOC_LABELS
from swiftseg.data.voc_colors import voc_colors
from tests.support.dataset_trees import filled, make_voc, write_lines


def test_names_are_torchvision_s():
    assert list(VOC_LABELS.names) == ["background", *_VOC_CATEGORIES[1:]]


def test_colors_follow_the_rule_of_the_development_kit():
    """Three bits of the index at a time, into the next lower bit of each channel."""
    for index, color in enumerate(voc_colors(256)):
        expected, rest = [0, 0, 0], index
        for shift in range(7, -1, -1):
            for channel in range(3):
                expected[channel] |= (rest >> channel & 1) << shift
            rest >>= 3
        assert list(color) == expected


def test_colors_known_from_the_challenge():
    colors = dict(zip(VOC_LABELS.names, VOC_LABELS.palette, strict=True))
    assert colors["aeroplane"] == (128, 0, 0)
    assert colors["cat"] == (64, 0, 0)
    assert colors["person"] == (192, 128, 128)
    assert colors["tvmonitor"] == (0, 64, 128)


@pytest.mark.parametrize("place", [".", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_lists_are_followed_from_wherever_the_user_points(tmp_path: Path, place: str):
    folder = make_voc(tmp_path) / place
    names = {s: [p.name for p in open_dataset(folder, s).pairs] for s in ("train", "val")}
    assert names == {"train": ["2007_000001", "2007_000002"], "val": ["2007_000003"]}
    assert len(open_dataset(folder, "trainval")) == 3
    assert len(open_dataset(folder, "trainaug")) == 3
    sample = open_dataset(folder, "val")[0]
    np.testing.assert_array_equal(sample.mask, filled([*range(21), 255]))


def test_trainaug_is_sbd_and_train_without_val_and_prefers_voc_s_masks(tmp_path: Path):
    dataset = open_dataset(make_voc(tmp_path), "trainaug")
    kinds = {pair.name: pair.mask.suffix for pair in dataset.pairs}
    assert kinds == {"2007_000001": ".png", "2007_000002": ".png", "2008_000004": ".mat"}
    np.testing.assert_array_equal(dataset[2].mask, filled(range(21)))


def test_trainaug_without_sbd_says_where_it_belongs(tmp_path: Path):
    make_voc(tmp_path)
    (tmp_path / "benchmark_RELEASE").rename(tmp_path / "elsewhere")
    with pytest.raises(SwiftsegError, match=r"no SBD.*benchmark_RELEASE/dataset"):
        open_dataset(tmp_path, "trainaug")


def test_a_list_that_is_missing_or_names_what_is_not_there(tmp_path: Path):
    voc = make_voc(tmp_path) / "VOCdevkit" / "VOC2012"
    path = voc / "ImageSets" / "Segmentation" / "val.txt"
    write_lines(path, ["2007_000003", "2007_zz"])
    with pytest.raises(
        SwiftsegError, match=r"JPEGImages/2007_zz\.jpg: no such file.*names 2007_zz"
    ):
        open_dataset(voc, "val")
    write_lines(path, [])
    with pytest.raises(SwiftsegError, match=r"val\.txt: the list of the split is empty"):
        open_dataset(voc, "val")
    path.unlink()
    with pytest.raises(SwiftsegError, match=r"val\.txt: expected the list of a split"):
        open_dataset(voc, "val")
