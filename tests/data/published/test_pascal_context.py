from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.published.pascal_context import CONTEXT_59_LABELS, CONTEXT_60_LABELS
from swiftseg.data.published.voc import VOC_LABELS
from tests.support.dataset_trees import filled, make_pascal_context

# Indices that others publish of the 59 (1 to 20 are VOC's own).
PUBLISHED = {"floor": 33, "grass": 36, "ground": 37, "platform": 43, "road": 46, "sidewalk": 49}


def test_classes_are_the_official_ones_in_their_order():
    assert len(CONTEXT_59_LABELS) == 59
    assert CONTEXT_60_LABELS.names[:21] == VOC_LABELS.names
    assert CONTEXT_60_LABELS.names[1:] == CONTEXT_59_LABELS.names
    assert {name: CONTEXT_60_LABELS.names.index(name) for name in PUBLISHED} == PUBLISHED
    assert CONTEXT_60_LABELS.names.index("track") == 53


def test_with_and_without_background(tmp_path: Path):
    make_pascal_context(tmp_path)
    np.testing.assert_array_equal(open_dataset(tmp_path, "val")[0].mask, filled(range(60)))
    mask = open_dataset(tmp_path, "val", "pascal_context_59")[0].mask
    np.testing.assert_array_equal(mask, filled([255, *range(59)]))


def test_masks_of_459_classes_go_by_their_names(tmp_path: Path):
    names = ["accordion", *sorted(CONTEXT_59_LABELS.names), "zoo"]
    renamed = {"diningtable": "table", "bedcloth": "bedclothes", "clothes": "cloth"}
    among_459 = [renamed.get(name, name) for name in names]
    make_pascal_context(tmp_path, names_of_459=among_459)
    mask = open_dataset(tmp_path, "train")[0].mask
    of_name = {name: index for index, name in enumerate(CONTEXT_60_LABELS.names)}
    np.testing.assert_array_equal(mask, filled([of_name.get(name, 0) for name in names]))


def test_a_list_of_459_without_one_of_the_59(tmp_path: Path):
    make_pascal_context(tmp_path, names_of_459=["accordion", "aeroplane"])
    with pytest.raises(SwiftsegError, match=r"labels\.txt: expected the class 'bicycle'"):
        open_dataset(tmp_path, "train")
    (tmp_path / "labels.txt").unlink()
    with pytest.raises(SwiftsegError, match=r"labels\.txt: expected the 459 class names"):
        open_dataset(tmp_path, "train")


@pytest.mark.parametrize("place", ["VOCdevkit", "VOCdevkit/VOC2010"])
def test_found_from_wherever_the_user_points(tmp_path: Path, place: str):
    assert len(open_dataset(make_pascal_context(tmp_path) / place, "train")) == 2
