"""BDD100K, Mapillary Vistas and SYNTHIA: their tables are told by Cityscapes' names and colors."""

from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import name2label
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.published.bdd100k import BDD100K_20_LABELS, BDD100K_LABELS
from swiftseg.data.published.mapillary import MAPILLARY_66_LABELS, MAPILLARY_LABELS
from swiftseg.data.published.synthia import SYNTHIA_13_LABELS, SYNTHIA_16_LABELS
from swiftseg.data.published.synthia_rand import is_val
from swiftseg.recipes import load_recipe
from tests.support.dataset_trees import (
    SIZE_HW,
    filled,
    make_bdd100k,
    make_cityscapes,
    make_mapillary,
    make_synthia,
    make_synthia_rand,
    write,
)
from tests.support.wide_png import write_wide_png

# doc.bdd100k.com/format.html
BDD100K_NAMES = (
    "road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,"
    "person,rider,car,truck,bus,train,motorcycle,bicycle"
)

# Of the readme of SYNTHIA-RAND-CITYSCAPES; - is what Cityscapes has no class for.
SYNTHIA_NAMES = (
    "-,sky,building,road,sidewalk,fence,vegetation,pole,car,traffic sign,person,bicycle,"
    "motorcycle,-,-,traffic light,-,rider,-,bus,-,wall,-"
)

# The 13 classes that are commonly compared from SYNTHIA to Cityscapes.
SYNTHIA_13 = (
    "road,sidewalk,building,traffic light,traffic sign,vegetation,sky,person,rider,car,bus,"
    "motorcycle,bicycle"
)

# Vistas took over Cityscapes' colors for the classes both have: here by Vistas' names.
AS_IN_CITYSCAPES = {
    "Fence": "fence",
    "Guard Rail": "guard rail",
    "Wall": "wall",
    "Parking": "parking",
    "Rail Track": "rail track",
    "Road": "road",
    "Sidewalk": "sidewalk",
    "Bridge": "bridge",
    "Building": "building",
    "Tunnel": "tunnel",
    "Person": "person",
    "Bicyclist": "rider",
    "Sky": "sky",
    "Terrain": "terrain",
    "Vegetation": "vegetation",
    "Pole": "pole",
    "Traffic Light": "traffic light",
    "Traffic Sign (Front)": "traffic sign",
    "Bicycle": "bicycle",
    "Bus": "bus",
    "Car": "car",
    "Caravan": "caravan",
    "Motorcycle": "motorcycle",
    "On Rails": "train",
    "Trailer": "trailer",
    "Truck": "truck",
}

# The class numbers that a published mapping to Cityscapes (of other authors) relies on.
VISTAS_INDEX = {"Road": 13, "Building": 17, "Wall": 6, "Fence": 3, "Pole": 45, "Traffic Light": 48}
VISTAS_INDEX |= {"Vegetation": 30, "Sky": 27, "Person": 19, "Car": 55, "Truck": 61, "Bus": 54}


@pytest.mark.parametrize("as_first_released", [False, True])
def test_bdd100k(tmp_path: Path, as_first_released: bool):
    make_bdd100k(tmp_path, as_first_released=as_first_released)
    dataset = open_dataset(tmp_path, "val")
    assert dataset.labels == BDD100K_LABELS
    assert list(dataset.labels.names) == BDD100K_NAMES.split(",")
    assert [sample.name for sample in dataset] == ["0004a4c0-d4dff0ad", "00054602-3bf57337"]
    np.testing.assert_array_equal(dataset[0].mask, filled([*range(19), 255]))
    with_unknown = open_dataset(tmp_path, "val", "bdd100k_20")
    np.testing.assert_array_equal(with_unknown[0].mask, filled(range(20)))
    assert with_unknown.labels == BDD100K_20_LABELS


def test_mapillary(tmp_path: Path):
    dataset = open_dataset(make_mapillary(tmp_path), "val")
    np.testing.assert_array_equal(dataset[0].mask, filled(range(66)))
    assert (len(dataset.labels), dataset.labels.ignore_index) == (65, 65)
    with_unlabeled = open_dataset(tmp_path, "val", "mapillary_66")
    assert (len(with_unlabeled.labels), with_unlabeled.labels.ignore_index) == (66, None)
    np.testing.assert_array_equal(with_unlabeled[0].mask, filled(range(66)))


def test_mapillary_names_and_colors():
    colors = dict(zip(MAPILLARY_66_LABELS.names, MAPILLARY_66_LABELS.palette, strict=True))
    assert MAPILLARY_66_LABELS.names[:65] == MAPILLARY_LABELS.names
    assert MAPILLARY_66_LABELS.names[65] == "Unlabeled"
    for name, cityscapes_name in AS_IN_CITYSCAPES.items():
        assert colors[name] == name2label[cityscapes_name].color, name
    assert {name: MAPILLARY_LABELS.names.index(name) for name in VISTAS_INDEX} == VISTAS_INDEX
    assert len(set(colors.values())) == 66


def test_mapillary_within_the_release_of_v2(tmp_path: Path):
    make_mapillary(tmp_path)
    (tmp_path / "training" / "v1.2").mkdir()
    (tmp_path / "training" / "labels").rename(tmp_path / "training" / "v1.2" / "labels")
    assert len(open_dataset(tmp_path, "train")) == 2


@pytest.mark.parametrize("name", ["synthia", "synthia_16"])
def test_synthia(tmp_path: Path, name: str):
    dataset = open_dataset(make_synthia(tmp_path), "train", name)
    names = dataset.labels.names
    expected = [names.index(n) if n in names else 255 for n in SYNTHIA_NAMES.split(",")]
    np.testing.assert_array_equal(dataset[0].mask, filled(expected))
    for class_name, color in zip(names, dataset.labels.palette, strict=True):
        assert color == name2label[class_name].color


def test_synthia_s_13_and_16():
    assert list(SYNTHIA_13_LABELS.names) == SYNTHIA_13.split(",")
    assert {*SYNTHIA_16_LABELS.names} == {*SYNTHIA_13_LABELS.names, "wall", "fence", "pole"}


def test_a_fifth_of_synthia_is_held_out(tmp_path: Path):
    make_synthia(tmp_path)
    splits = ("train", "four_fifths", "fifth")
    whole, learned, held_out = (
        [sample.name for sample in open_dataset(tmp_path, split)] for split in splits
    )
    assert held_out == ["0000000", "0000005"]
    assert sorted(learned + held_out) == whole


def test_synthia_masks_of_another_kind_are_refused(tmp_path: Path):
    make_synthia(tmp_path)
    path = tmp_path / "GT" / "LABELS" / "0000000.png"
    write(path, filled([(1, 2, 3)]))
    with pytest.raises(
        SwiftsegError, match=r"0000000\.png: expected a PNG of three 16-bit channels"
    ):
        open_dataset(tmp_path, "train")[0]
    write_wide_png(path, np.full((*SIZE_HW, 3), 259, np.uint16))
    with pytest.raises(SwiftsegError, match=r"0000000\.png: expected values of 0 to 255"):
        open_dataset(tmp_path, "train")[0]
    write_wide_png(path, np.full((*SIZE_HW, 3), 23, np.uint16))
    with pytest.raises(SwiftsegError, match=r"23 \(192 pixels\)"):
        open_dataset(tmp_path, "train")[0]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SwiftsegError, match=r"0000000\.png: "):
        open_dataset(tmp_path, "train")[0]
    Image.new("L", SIZE_HW[::-1]).save(path)
    with pytest.raises(SwiftsegError, match="three 16-bit channels"):
        open_dataset(tmp_path, "train")[0]


def test_synthia_rand_has_void_as_a_class_and_a_fifth_to_score(tmp_path: Path):
    make_synthia_rand(tmp_path)
    train, val = (open_dataset(tmp_path, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (5, 1)
    assert not {sample.name for sample in train} & {sample.name for sample in val}
    assert (train.labels.names[0], train.labels.names[12]) == ("void", "lane marking")
    assert train.labels.ignore_index is None
    assert np.array_equal(train[0].mask, filled(range(13)))
    assert sum(is_val(at) for at in range(13_407)) == 2_621  # the SegFast paper's numbers


def test_fine_and_coarse_cityscapes_are_one_training_set(tmp_path: Path):
    make_cityscapes(tmp_path)
    both = open_dataset(tmp_path, "train+train_extra")
    apart = [open_dataset(tmp_path, split) for split in ("train", "train_extra")]
    assert [sample.name for sample in both] == [sample.name for part in apart for sample in part]
    assert np.array_equal(both[len(both) - 1].mask, apart[1][len(apart[1]) - 1].mask)
    assert load_recipe("fast_scnn_cityscapes_coarse").stages[0].train_split == "train+train_extra"


def test_splits_that_do_not_join_are_refused(tmp_path: Path):
    make_cityscapes(tmp_path)
    with pytest.raises(UsageError, match="frames in common"):
        open_dataset(tmp_path, "train+train")
    with pytest.raises(UsageError, match="unknown split 'extra'"):
        open_dataset(tmp_path, "train+extra")
    for mask in (tmp_path / "gtCoarse/train_extra").rglob("*_labelIds.png"):
        mask.rename(str(mask).replace("labelIds", "labelTrainIds"))
    with pytest.raises(UsageError, match="unlike values"):
        open_dataset(tmp_path, "train+train_extra")
