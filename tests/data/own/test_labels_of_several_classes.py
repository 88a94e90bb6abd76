"""A dataset.yaml whose labels stand for several classes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import ClassSet, SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.doctor import check_data, contact_sheet
from swiftseg.data.own.dataset_file import dataset_file_text, read_dataset_file

NAMES = "{drivable: road, vehicles: [car, bicyclist], living: [person, bicyclist], rest: any}"


def made(root: Path, text: str, values: list[int]) -> Path:
    """Four pairs whose masks repeat the values."""
    for split in ("train", "val"):
        for index in range(2):
            for folder in ("images", "masks"):
                (root / folder / split).mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(index + 2 * (split == "val"))
            image = noise.integers(0, 255, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(image).save(root / "images" / split / f"{index}.png")
            mask = np.resize(np.array(values, np.uint8), (12, 16))
            Image.fromarray(mask).save(root / "masks" / split / f"{index}.png")
    (root / "dataset.yaml").write_text(text)
    return root


def test_labels_become_sets_of_classes_in_the_order_they_are_named(tmp_path: Path):
    dataset = open_dataset(made(tmp_path, f"names: {NAMES}\n", [0, 1, 2, 3, 255]), "train")
    labels = dataset.labels
    assert labels.names == ("road", "car", "bicyclist", "person")
    assert labels.sets == (ClassSet("vehicles", (1, 2)), ClassSet("living", (2, 3)))
    assert labels.unlabeled == (1, 2, 3)
    assert dataset[0].mask.ravel()[:5].tolist() == [0, 4, 5, 255, 255]


def test_classes_give_the_order_that_a_model_has(tmp_path: Path):
    text = f"names: {NAMES}\nclasses: [sky, person, car, bicyclist, road]\nignore_index: 5\n"
    dataset = open_dataset(made(tmp_path, text, [0, 1, 2, 3, 5]), "train")
    assert dataset.labels.names == ("sky", "person", "car", "bicyclist", "road")
    assert dataset[0].mask.ravel()[:5].tolist() == [4, 6, 7, 5, 5]


def test_values_are_mapped_to_labels(tmp_path: Path):
    text = f"names: {NAMES}\nlabel_mapping: {{7: drivable, 9: vehicles, 11: living, 0: ignore}}\n"
    dataset = open_dataset(made(tmp_path, text, [7, 9, 11, 0]), "train")
    assert dataset[0].mask.ravel()[:4].tolist() == [0, 4, 5, 255]


def test_a_description_is_written_as_it_is_read(tmp_path: Path):
    root = made(tmp_path, f"names: {NAMES}\nclasses: [road, car, bicyclist, person]\n", [0])
    file = read_dataset_file(root / "dataset.yaml")
    (root / "again.yaml").write_text(dataset_file_text(file))
    assert read_dataset_file(root / "again.yaml") == file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"names: {NAMES}\nclasses: [road, car]\n", "'vehicles' needs a class; .*'bicyclist'"),
        ("names: [a, b]\nclasses: [a, b]\n", "classes are for names that say"),
        (f"names: {NAMES}\nmask_encoding: rgb\n", "rgb needs a label_mapping to names such as"),
        (f"names: {NAMES}\nlabel_mapping: {{0: vehicle}}\n", "unknown label 'vehicle'"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(SwiftsegError, match=message):
        open_dataset(made(tmp_path, text, [0]), "train")


def test_the_doctor_tells_what_no_label_pins_down(tmp_path: Path):
    diagnosis = check_data(made(tmp_path, f"names: {NAMES}\n", [0, 1, 2, 3]))
    found = {finding.code: finding.message for finding in diagnosis.findings}
    assert not diagnosis.is_broken
    assert "without a label of their own: car, bicyclist, person;" in found["class_in_sets_only"]
    assert found["overlapping_sets"] == "the labels vehicles and living may both be bicyclist"
    assert "class_never_occurs" not in found
    meanings = {row.value: row.meaning for row in diagnosis.values}
    assert meanings == {"0": "road", "1": "vehicles", "2": "living", "3": "ignore"}
    assert diagnosis.labels is not None
    assert diagnosis.rules is not None
    assert contact_sheet(diagnosis.pairs, diagnosis.labels, diagnosis.rules) is not None


def test_masks_of_sets_alone_are_labeled(tmp_path: Path):
    diagnosis = check_data(made(tmp_path, f"names: {NAMES}\n", [1, 2]))
    assert "all_ignored" not in {finding.code for finding in diagnosis.findings}
