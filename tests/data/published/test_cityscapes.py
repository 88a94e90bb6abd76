"""The tables are held against `cityscapesscripts`, which the benchmark's authors publish."""

from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import id2label, labels, trainId2label

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.published.cityscapes import (
    CATEGORY_LABELS,
    CITYSCAPES_LABELS,
    CLASSES,
    open_cityscapes,
)
from tests.support.dataset_trees import filled, make_cityscapes

SCORED = [label for label in labels if not label.ignoreInEval]


def test_names_colors_and_ids_are_the_official_ones():
    assert len(CITYSCAPES_LABELS) == len(SCORED) == 19
    for train_id, row in enumerate(CLASSES):
        official = trainId2label[train_id]
        assert row == (official.id, official.name, official.category, official.color)
    assert CITYSCAPES_LABELS.ignore_index == 255


def test_categories_are_the_official_ones_in_their_order():
    order = {label.category: label.categoryId for label in labels}
    assert len(order) == 8
    del order["void"]
    assert list(CATEGORY_LABELS.names) == sorted(order, key=order.__getitem__)


def test_label_ids_become_the_official_train_ids(tmp_path: Path):
    mask = open_dataset(make_cityscapes(tmp_path), "train")[0].mask
    official = np.array([id2label[i].trainId for i in range(34)])
    np.testing.assert_array_equal(mask, official[filled(range(34))])


def test_categories_follow_the_benchmark_in_what_they_ignore(tmp_path: Path):
    mask = open_dataset(make_cityscapes(tmp_path), "train", "cityscapes_categories")[0].mask
    official = np.array(
        [
            255 if id2label[i].ignoreInEval else id2label[i].categoryId - 1  # void is 0
            for i in range(34)
        ]
    )
    np.testing.assert_array_equal(mask, official[filled(range(34))])


def test_masks_of_train_ids_do_where_label_ids_are_missing(tmp_path: Path):
    make_cityscapes(tmp_path, kinds=("labelTrainIds", "color"))
    values = filled([*range(19), 255])
    np.testing.assert_array_equal(open_dataset(tmp_path, "val")[0].mask, values)
    categories = open_dataset(tmp_path, "val", "cityscapes_categories")[0].mask
    official = {i: trainId2label[i].categoryId - 1 for i in range(19)} | {255: 255}
    np.testing.assert_array_equal(categories, np.vectorize(official.get)(values))


def test_cities_follow_one_another_and_names_are_the_official_ones(tmp_path: Path):
    dataset = open_dataset(make_cityscapes(tmp_path), "train")
    assert [pair.name for pair in dataset.pairs] == [
        "aachen_000000_000019",
        "aachen_000001_000019",
        "bochum_000000_000019",
        "bochum_000001_000019",
    ]
    assert {pair.mask.relative_to(tmp_path).parts[0] for pair in dataset.pairs} == {"gtFine"}


def test_coarse_annotations(tmp_path: Path):
    make_cityscapes(tmp_path)
    assert "gtCoarse" in str(open_dataset(tmp_path, "train_extra").pairs[0].mask)
    assert "gtCoarse" in str(open_dataset(tmp_path, "train", "cityscapes_coarse").pairs[0].mask)
    with pytest.raises(UsageError, match="unknown split 'test'"):
        open_dataset(tmp_path, "test", "cityscapes_coarse")
    with pytest.raises(SwiftsegError, match="gtFine/train_extra: no masks here"):
        open_cityscapes(tmp_path, "train_extra", annotation="gtFine")


def test_a_missing_annotation_names_the_files_expected(tmp_path: Path):
    make_cityscapes(tmp_path, kinds=("color",))
    with pytest.raises(SwiftsegError, match=r"gtFine/val: no masks.*gtFine/val/CITY/\*_labelIds"):
        open_dataset(tmp_path, "val")


def test_archives_in_folders_of_their_own_are_read(tmp_path: Path):
    make_cityscapes(tmp_path / "usual")
    for name, archive in (
        ("leftImg8bit", "leftImg8bit_trainvaltest"),
        ("gtFine", "gtFine_trainvaltest"),
        ("gtCoarse", "gtCoarse"),
    ):
        (tmp_path / "apart" / archive).mkdir(parents=True)
        (tmp_path / "usual" / name).rename(tmp_path / "apart" / archive / name)
    for annotation, num_frames in (("gtFine", 4), ("gtCoarse", 4)):
        dataset = open_cityscapes(tmp_path / "apart", "train", annotation=annotation)
        assert len(dataset) == num_frames
    assert open_dataset(tmp_path / "apart", "val").labels == CITYSCAPES_LABELS
