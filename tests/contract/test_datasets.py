"""What every dataset promises; one that joins DATASETS is held to it by itself."""

import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.opening import DATASETS, recognize
from tests.support.dataset_trees import SIZE_HW, TREES


@pytest.fixture(params=DATASETS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def tree(name: str, tmp_path: Path) -> Path:
    return TREES[name](tmp_path / "data")


def test_samples_are_as_promised(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    samples = list(dataset)
    assert len(samples) == len(dataset) > 0
    assert len({sample.name for sample in samples}) == len(samples)
    for sample in samples:
        assert sample.image.dtype == sample.mask.dtype == np.uint8
        assert sample.image.shape == (*SIZE_HW, 3)
        assert sample.mask.shape == SIZE_HW
        assert sample.mask.flags.writeable
        assert sample.mask.flags.c_contiguous


def test_the_official_values_give_every_class_and_nothing_else(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    found = set(np.unique(np.stack([sample.mask for sample in dataset])).tolist())
    classes = set(range(len(dataset.labels)))
    if name == "coco_voc":
        assert found == classes  # what nobody labeled counts as background
    elif dataset.labels.ignore_index is None or name == "pascal_context":
        assert found == classes
    else:
        assert found == classes | {dataset.labels.ignore_index}


def test_the_same_frames_again_and_in_another_process(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    again = pickle.loads(pickle.dumps(dataset))
    assert len(pickle.dumps(dataset)) < 100_000  # the readers' tables stay out of it
    for one, other in zip(dataset, again, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_indices_from_the_end_and_slices(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    assert isinstance(dataset, Sequence)
    assert dataset[-1].name == dataset[len(dataset) - 1].name
    assert [sample.name for sample in dataset[:1]] == [dataset[0].name]
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_an_unknown_split_names_the_known_ones(name: str, tree: Path):
    with pytest.raises(UsageError, match="unknown split 'trian'; did you mean train"):
        open_dataset(tree, "trian", name)


def test_a_missing_mask_is_named(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    lost = dataset.pairs[0].mask
    lost.unlink()
    stem = lost.stem.split("_gt")[0].removesuffix("_L").removesuffix("_label")
    with pytest.raises(SwiftsegError, match=stem) as caught:
        open_dataset(tree, "train", name)
    assert "\n" not in str(caught.value)


def test_another_tree_says_what_was_expected(name: str, tmp_path: Path):
    (tmp_path / "other").mkdir()
    with pytest.raises(SwiftsegError, match=str(tmp_path)) as caught:
        open_dataset(tmp_path / "other", "train", name)
    assert "\n" not in str(caught.value)


def test_a_tree_without_the_masks_says_what_was_expected(name: str, tree: Path):
    dataset = open_dataset(tree, "train", name)
    shutil.rmtree(dataset.pairs[0].mask.parent)
    with pytest.raises(SwiftsegError, match=str(tree)) as caught:
        open_dataset(tree, "train", name)
    assert "\n" not in str(caught.value)


RECOGNIZED = [name for name, reader in DATASETS.items() if reader.is_tree is not None]


@pytest.mark.parametrize("recognized", [*RECOGNIZED, "folder", "annotations"])
def test_trees_are_told_apart(recognized: str, tmp_path: Path):
    tree = TREES[recognized](tmp_path)
    trees = {name: DATASETS[name].is_tree for name in RECOGNIZED}
    told = [name for name, is_tree in trees.items() if is_tree is not None and is_tree(tree)]
    assert told == [name for name in RECOGNIZED if name == recognized]
    assert recognize(tree) == recognized
    assert open_dataset(tree, "train").labels == open_dataset(tree, "train", recognized).labels


@pytest.mark.parametrize("recognized", RECOGNIZED)
def test_a_tree_within_folders_of_its_own_is_known(recognized: str, tmp_path: Path):
    inner = TREES[recognized](tmp_path / "download" / "release")
    (tmp_path / "download" / "README").touch()
    assert recognize(tmp_path) == recognized
    one, other = (open_dataset(folder, "train", recognized) for folder in (tmp_path, inner))
    assert [sample.name for sample in one] == [sample.name for sample in other]
    (tmp_path / "mine").mkdir()
    assert recognize(tmp_path) == "folder"  # none of two folders is meant


def test_an_unknown_dataset_names_the_nearest(tmp_path: Path):
    with pytest.raises(UsageError, match="unknown dataset 'cityscape'; did you mean cityscapes"):
        open_dataset(tmp_path, "train", "cityscape")


def test_the_toy_street_has_one_class_set():
    with pytest.raises(UsageError, match="toystreet has one class set"):
        open_dataset("toystreet", "train", "voc")
