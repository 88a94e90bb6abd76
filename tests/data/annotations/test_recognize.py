"""Exports are told by their content, and nothing else is taken for one."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data.annotations import is_annotations, recognize_annotations
from swiftseg.data.annotations.places import split_of
from swiftseg.data.opening import DATASETS, recognize
from tests.support.annotation_exports import EXPORTS, make_coco, make_voc
from tests.support.dataset_trees import TREES

OTHERS: dict[str, object] = {
    "package.json": {"name": "page", "images": [{"id": 1}], "categories": []},
    "tsconfig.json": {"compilerOptions": {"shapes": []}},
    "geo.json": {"type": "FeatureCollection", "features": [{"type": "Feature"}]},
    "results.json": [{"image_id": 1, "category_id": 3, "segmentation": [[1, 2]], "score": 0.5}],
    "gallery.json": {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": ["a"],
        "annotations": [],
    },
    "captions.json": {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "caption": "a"}],
    },
    "panoptic.json": {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"segments_info": [{"bbox": [1, 2, 3, 4]}], "file_name": "a.png"}],
    },
    "cityscapes.json": {"imgHeight": 4, "objects": [{"label": "car", "polygon": [[1, 2]]}]},
    "editor.json": {"shapes": ["round"], "imagePath": "a.png"},
    "numbers.json": [1, 2, 3],
    "text.json": "annotations",
    "meta.json": {"classes": [{"title": "a"}]},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_json_files_are_no_exports(name: str, tmp_path: Path):
    path = tmp_path / name
    path.write_text(json.dumps(OTHERS[name], indent=1))
    assert recognize_annotations(tmp_path) is None
    assert recognize_annotations(path) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.json", ""),
        ("broken.json", '{"images": ['),
        ("voc.xml", "<annotation><folder>a</folder></annotation>"),
        ("page.xml", "<annotations><note/></annotations>"),
        ("broken.xml", "<annotations"),
        ("data.yaml", "names: [a, b]\ntrain: images/train\n"),
        ("compose.yaml", "services: {web: {image: a}}"),
        ("broken.yaml", "a: [b"),
        ("labelmap.txt", "a:1,2,3::\n"),
    ],
)
def test_other_files_are_no_exports(name: str, text: str, tmp_path: Path):
    (tmp_path / name).write_text(text)
    assert not is_annotations(tmp_path)
    assert not is_annotations(tmp_path / name)


def test_a_path_that_is_not_there_is_no_export(tmp_path: Path):
    assert not is_annotations(tmp_path / "nowhere")


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"annotations"}))
def test_published_trees_and_own_data_are_no_exports(name: str, tmp_path: Path):
    assert not is_annotations(TREES[name](tmp_path / "data"))


def test_who_has_masks_means_these(tmp_path: Path):
    make_coco(tmp_path)
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "masks" / "img_0.png")
    assert not is_annotations(tmp_path)


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_among_other_files_is_found(kind: str, tmp_path: Path):
    EXPORTS[kind].make(tmp_path / "data")
    (tmp_path / "data" / "package.json").write_text('{"name": "page"}')
    (tmp_path / "data" / ".hidden.json").write_text("{")
    (tmp_path / "data" / "zz.xml").write_text("<a/>")
    assert recognize_annotations(tmp_path / "data") == EXPORTS[kind].tool


def test_a_labelmap_makes_a_voc_tree_the_users_own(tmp_path: Path):
    make_voc(tmp_path)
    assert recognize(tmp_path) == "annotations"
    (tmp_path / "labelmap.txt").unlink()
    assert not is_annotations(tmp_path)


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (["instances_train2017"], "train"),
        (["Validation"], "val"),
        (["my-test-set"], "test"),
        (["_annotations.coco", "valid"], "val"),
        (["default", ""], "all"),
        (["training_2", "val"], "train"),
        (["trainer", "latest"], "all"),
    ],
)
def test_splits_are_told_by_names(names: list[str], split: str):
    assert split_of(*names) == split
