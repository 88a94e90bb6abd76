from pathlib import Path

import numpy as np
from torchvision.models._meta import _COCO_CATEGORIES

from swiftseg.data import open_dataset
from swiftseg.data.published.coco import COCO_STUFF_LABELS, NAME_OF_VALUE
from swiftseg.data.published.voc import VOC_LABELS
from tests.support.dataset_trees import COCO_REMOVED, filled, make_coco

# The COCO ids of VOC's 21 classes, as DeepLab's and torchvision's training scripts list them.
VOC_AS_COCO_IDS = [0, 5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72]

# From COCO-Stuff's labels.txt.
STUFF_IDS = {"banner": 92, "cloth": 104, "grass": 124, "road": 149, "sky-other": 157, "wood": 182}


def test_things_are_torchvision_s():
    things = {value + 1: name for value, name in NAME_OF_VALUE.items() if value < 91}
    official = {i: name for i, name in enumerate(_COCO_CATEGORIES) if name != "N/A" and i > 0}
    assert things == official
    assert len(things) == 80


def test_stuff_is_in_alphabetical_order_as_published():
    stuff = [name for value, name in NAME_OF_VALUE.items() if value >= 91]
    assert len(stuff) == 91
    assert stuff == sorted(stuff)
    value_of = {name: value for value, name in NAME_OF_VALUE.items()}
    assert {name: value_of[name] + 1 for name in STUFF_IDS} == STUFF_IDS
    assert len(COCO_STUFF_LABELS) == 171


def test_values_become_consecutive_classes(tmp_path: Path):
    mask = open_dataset(make_coco(tmp_path), "val")[0].mask
    np.testing.assert_array_equal(mask, filled([*range(171), 255]))


def test_voc_s_classes(tmp_path: Path):
    dataset = open_dataset(make_coco(tmp_path), "train", "coco_voc")
    ids = [i for i in range(1, 183) if i not in COCO_REMOVED]
    expected = [VOC_AS_COCO_IDS.index(i) if i in VOC_AS_COCO_IDS else 0 for i in ids]
    np.testing.assert_array_equal(dataset[0].mask, filled([*expected, 0]))
    assert dataset.labels == VOC_LABELS


def test_images_may_lie_in_a_folder_of_their_own(tmp_path: Path):
    make_coco(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "train2017").rename(tmp_path / "images" / "train2017")
    assert len(open_dataset(tmp_path, "train")) == 2
