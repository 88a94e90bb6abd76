"""Every kind of export is recognized, and its masks are those that it means."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import check_data, open_dataset
from swiftseg.data.annotations import open_annotations, read_export, recognize_annotations
from swiftseg.data.annotations.open_export import open_images
from swiftseg.data.opening import recognize
from tests.support.annotation_exports import (
    COLORS,
    EXPORTS,
    make_coco,
    make_coco_splits,
    make_panoptic,
)


@pytest.fixture(params=EXPORTS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_tool_is_recognized(kind: str, tmp_path: Path):
    EXPORTS[kind].make(tmp_path / "data")
    assert recognize_annotations(tmp_path / "data") == EXPORTS[kind].tool
    assert recognize(tmp_path / "data") == "annotations"


def test_masks_are_those_that_were_drawn(kind: str, tmp_path: Path):
    expected = EXPORTS[kind].make(tmp_path / "data")
    export = read_export(tmp_path / "data")
    assert export.labels.names == ("background", "leaf", "stem")
    assert export.labels.ignore_index == 255
    assert tuple(sorted(export.splits)) == EXPORTS[kind].splits
    samples = [
        sample for images in export.splits.values() for sample in open_images(export, images)
    ]
    assert len(samples) == len(expected)
    for sample in samples:
        np.testing.assert_array_equal(sample.mask, expected[Path(sample.name).name])
        assert sample.image.shape == (*sample.mask.shape, 3)
        assert sample.mask.dtype == np.uint8


def test_train_and_val_open_as_any_data(kind: str, tmp_path: Path):
    expected = EXPORTS[kind].make(tmp_path / "data")
    opened = {split: open_dataset(tmp_path / "data", split) for split in ("train", "val")}
    names = {split: {sample.name for sample in dataset} for split, dataset in opened.items()}
    assert not names["train"] & names["val"]
    expected_count = len(expected) - ("test" in EXPORTS[kind].splits)
    assert len(names["train"] | names["val"]) == expected_count
    again = pickle.loads(pickle.dumps(opened["train"]))
    np.testing.assert_array_equal(again[0].mask, opened["train"][0].mask)


@pytest.mark.parametrize("kind", ["CVAT", "Supervisely", "VOC from CVAT"])
def test_colors_are_the_tools_own(kind: str, tmp_path: Path):
    EXPORTS[kind].make(tmp_path / "data")
    assert open_annotations(tmp_path / "data", "train").labels.palette == tuple(COLORS.values())


def test_one_image_is_too_few(tmp_path: Path):
    make_coco(tmp_path, 1)
    assert [f.code for f in check_data(tmp_path).findings if f.severity == "broken"] == ["too_few"]


def test_a_dataset_yaml_beside_labels_is_no_yolo(tmp_path: Path):
    (tmp_path / "labels").mkdir()
    text = "image: 'a/{name}.png'\nmask: 'labels/{name}.png'\nval: val.txt\nnames: [a, b]\n"
    (tmp_path / "mine.yaml").write_text(text)
    assert recognize_annotations(tmp_path / "mine.yaml") is None


def test_versions_of_one_export_are_told_and_each_is_read(tmp_path: Path):
    for version in ("instances", "materials"):
        make_coco_splits(tmp_path / version)
    with pytest.raises(SwiftsegError, match="name the folder or the file of one version"):
        read_export(tmp_path)
    images = read_export(tmp_path / "materials").splits["train"]
    assert {image.picture.parents[1].name for image in images} == {"materials"}


def test_panoptic_pixels_without_a_segment_are_void(tmp_path: Path):
    make_panoptic(tmp_path)
    paths = sorted((tmp_path / "annotations/panoptic_train2017").iterdir())
    for value, path in zip((0, 5), paths, strict=False):
        with Image.open(path) as image:
            ids = np.array(image)
        ids[:4] = (value, 0, 0)
        Image.fromarray(ids).save(path)
    data = open_annotations(tmp_path, "train")
    assert (data[0].mask[:4] == 255).all()
    assert (data[0].mask[4:] < 3).all()
    with pytest.raises(SwiftsegError, match=f"{paths[1].name}: 5 is no segment's id in its JSON"):
        data.mask(1)
    codes = {finding.code: finding.message for finding in data.findings}
    assert "instances_val2017.json: not used" in codes["unused_annotations"]


def test_more_panoptic_classes_than_masks_hold_are_refused(tmp_path: Path):
    make_panoptic(tmp_path)
    path = tmp_path / "annotations/panoptic_val2017.json"
    content = json.loads(path.read_text())
    content["categories"] += [{"id": 300 + n, "name": f"class {n}"} for n in range(253)]
    path.write_text(json.dumps(content))
    with pytest.raises(SwiftsegError, match="has 256 classes; expected at most 255"):
        read_export(tmp_path)


def test_one_file_of_an_export_opens_alone(tmp_path: Path):
    expected = make_coco(tmp_path)
    source = tmp_path / "annotations" / "instances_default.json"
    assert recognize_annotations(source) == "coco"
    found = [*open_annotations(source, "train"), *open_annotations(source, "val")]
    assert {sample.name for sample in found} == set(expected)


def test_an_unknown_split_names_the_known_ones(tmp_path: Path):
    make_coco_splits(tmp_path)
    with pytest.raises(UsageError, match="unknown split 'trian'; did you mean train"):
        open_annotations(tmp_path, "trian")
