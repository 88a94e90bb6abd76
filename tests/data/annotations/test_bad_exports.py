"""Broken exports: one line that names the file and the annotation, and nothing read wrongly."""

import base64
import json
import shutil
import zlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations import open_annotations, read_export
from swiftseg.data.annotations.open_export import open_images
from tests.support.annotation_exports import (
    EXPORTS,
    SIZE_HW,
    bitmap_text,
    column_counts,
    make_coco,
    make_cvat,
    make_label_studio,
    make_labelme,
    make_supervisely,
    make_voc,
    make_yolo,
)

COCO_FILE = "annotations/instances_default.json"
STUDIO_FILE = "project-1-at-2024-03-01.json"


def change(path: Path, how: Callable[[Any], object]) -> Path:
    content = json.loads(path.read_text())
    how(content)
    path.write_text(json.dumps(content))
    return path


def first_annotation(changes: dict[str, Any]) -> Callable[[Any], object]:
    return lambda content: content["annotations"][0].update(changes)


def said_of(root: Path) -> str:
    """What reading all images of an export raises; nothing where it can be read."""
    try:
        export = read_export(root)
        for images in export.splits.values():
            list(open_images(export, images))
    except SwiftsegError as error:
        return str(error)
    return ""


def refusal(root: Path) -> str:
    said = said_of(root)
    assert said
    assert "\n" not in said
    return said


def left_out(root: Path, count: int = 8) -> str:
    """Why one image of an export is left out, the others being read."""
    export = read_export(root)
    samples = [one for images in export.splits.values() for one in open_images(export, images)]
    assert len(samples) == count - 1
    [finding] = [one for one in export.findings if one.code == "unreadable_annotation"]
    assert finding.severity == "warning"
    assert finding.count == 1
    assert finding.message.endswith("; this image is left out")
    assert "\n" not in finding.message
    return finding.message


# One annotation of COCO is broken: its image is left out, and told with file and annotation.


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"segmentation": [[1, 1, 5, 5]]}, "annotation 1: expected 3 points or more, got 2"),
        ({"segmentation": [[1, 1, 5, 5, 9]]}, "annotation 1: expected pairs of numbers"),
        ({"segmentation": [[1, 1, 5, float("nan"), 3, 3]]}, "annotation 1: a point is NaN"),
        ({"segmentation": [[1, 1, 5, float("inf"), 3, 3]]}, "annotation 1: a point is NaN"),
        (
            {"segmentation": [[1, 1, 5, 1e9, 3, 3]]},
            "annotation 1: a point is NaN, infinite, or far",
        ),
        ({"segmentation": [["a", 1, 5, 5, 3, 3]]}, "annotation 1: expected pairs of numbers"),
        ({"segmentation": [[1, 1, 10**400, 5, 3, 3]]}, "annotation 1: expected pairs of numbers"),
        ({"segmentation": "rle"}, "annotation 1: expected segmentation as an object"),
        ({"segmentation": {"size": [64, 96]}}, "annotation 1: expected counts as a list"),
        (
            {"segmentation": {"size": [64], "counts": [1]}},
            "annotation 1: expected size as 2 numbers",
        ),
        ({"segmentation": {"size": [64, 96], "counts": "zz"}}, "annotation 1: the compressed run"),
        ({"segmentation": [], "bbox": [1, 2, "x", 3]}, "annotation 1: expected bbox as a number"),
        ({"category_id": 5}, "annotation 1: no category 5"),
    ],
)
def test_a_broken_annotation_of_coco_costs_its_image(
    changes: dict[str, Any], problem: str, tmp_path: Path
):
    make_coco(tmp_path)
    path = change(tmp_path / COCO_FILE, first_annotation(changes))
    assert left_out(tmp_path).startswith(f"{path}: image 10: {problem}")


@pytest.mark.parametrize(
    ("counts", "problem"),
    [([5, 5], "the run lengths add up to 10 pixels"), ("1", "the run lengths add up to 1 pixels")],
)
def test_run_lengths_that_do_not_fit_are_named_when_they_are_drawn(
    counts: Any, problem: str, tmp_path: Path
):
    make_coco(tmp_path)
    segmentation = {"size": [*SIZE_HW], "counts": counts}
    path = change(tmp_path / COCO_FILE, first_annotation({"segmentation": segmentation}))
    assert refusal(tmp_path).startswith(f"{path}: annotation 1: {problem}")


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (lambda c: c["images"].append(dict(c["images"][0])), "images: the id 10 is given twice"),
        (lambda c: c["categories"][0].update(id=3), "categories: the id 3 is given twice"),
        (lambda c: c["images"].insert(1, 7), "expected an entry of images as an object, got 7"),
        (lambda c: c["categories"][1].update(name=""), "expected a category's name as a text"),
        (
            lambda c: c["images"][1].update(file_name="img_0.jpg"),
            "both the image 'img_0'; each image may be annotated once",
        ),
        (
            lambda c: c["categories"].extend({"id": 10 + i, "name": f"c{i}"} for i in range(260)),
            "the export has 263 classes with the background; expected at most 255",
        ),
    ],
)
def test_a_coco_file_that_contradicts_itself_is_an_error(
    how: Callable[[Any], object], problem: str, tmp_path: Path
):
    make_coco(tmp_path)
    change(tmp_path / COCO_FILE, how)
    # What recognizes it looks at its first entries only.
    assert problem in refusal(tmp_path)


def test_a_coco_file_that_is_cut_off_is_an_error(tmp_path: Path):
    make_coco(tmp_path)
    path = tmp_path / COCO_FILE
    path.write_text(path.read_text()[:-20])
    assert refusal(tmp_path).startswith(f"{path}: the JSON is broken: ")


def test_a_json_that_is_nested_without_end_is_an_error(tmp_path: Path):
    make_coco(tmp_path)
    path = tmp_path / COCO_FILE
    path.write_text(path.read_text()[:-1] + ', "more": ' + "[" * 100_000)
    assert refusal(tmp_path) == f"{path}: the JSON is nested too deeply"


def test_pictures_that_are_missing_are_counted(tmp_path: Path):
    make_coco(tmp_path)
    (tmp_path / "images" / "img_3.jpg").unlink()
    assert "no picture img_3.jpg" in left_out(tmp_path)


def test_all_pictures_missing_is_an_error(tmp_path: Path):
    make_coco(tmp_path)
    shutil.rmtree(tmp_path / "images")
    assert "no annotated image: " in refusal(tmp_path)
    assert "no picture img_0.jpg" in refusal(tmp_path)


def test_two_pictures_of_one_name_are_not_guessed(tmp_path: Path):
    make_coco(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(tmp_path / "images" / "img_0.jpg", tmp_path / folder / "img_0.jpg")
    (tmp_path / "images" / "img_0.jpg").unlink()
    assert "may both be img_0.jpg" in left_out(tmp_path)


def test_a_picture_of_another_size_is_named_with_both_sizes(tmp_path: Path):
    make_coco(tmp_path)
    Image.new("RGB", (48, 32)).save(tmp_path / "images" / "img_0.jpg")
    found = refusal(tmp_path)
    assert "img_0 was annotated at 64x96" in found
    assert "img_0.jpg is 32x48 (height x width)" in found


def test_a_crowd_has_its_class_beneath_single_objects(tmp_path: Path):
    [mask, *_] = make_coco(tmp_path).values()
    bitmap = np.zeros(SIZE_HW, np.uint8)
    bitmap[2:60, 2:70] = 1
    crowd = {"size": [*SIZE_HW], "counts": column_counts(bitmap)}
    more = {"id": 99, "image_id": 10, "category_id": 7, "segmentation": crowd, "iscrowd": 1}
    change(tmp_path / COCO_FILE, lambda content: content["annotations"].append(more))
    export = read_export(tmp_path)
    [image] = [one for one in export.splits["all"] if one.name == "img_0"]
    expected = np.where((mask == 0) & (bitmap == 1), 2, mask)
    np.testing.assert_array_equal(open_images(export, [image])[0].mask, expected)


def test_boxes_in_place_of_polygons_are_filled_and_told(tmp_path: Path):
    make_coco(tmp_path)
    change(
        tmp_path / COCO_FILE,
        lambda content: [one.update(segmentation=[]) for one in content["annotations"]],
    )
    export = read_export(tmp_path)
    [finding] = [one for one in export.findings if one.code == "filled_boxes"]
    assert (finding.severity, finding.count) == ("warning", 16)
    assert "annotation 1 has no segmentation; its box is filled" in finding.message


def test_a_class_that_is_to_be_ignored_is_the_void(tmp_path: Path):
    masks = make_coco(tmp_path)
    change(tmp_path / COCO_FILE, lambda content: content["categories"][0].update(name="ignore"))
    [sample, *_] = open_annotations(tmp_path, "train")
    expected = np.where(masks[sample.name] == 2, 255, masks[sample.name])
    np.testing.assert_array_equal(sample.mask, expected)


# Where each image has its file, that file costs its own image alone.


def labelme_file(root: Path) -> Path:
    return root / "img_2.json"


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (lambda c: c["shapes"][0].update(points=[[1, 2]]), "shape 0: expected 2 points or more"),
        (lambda c: c["shapes"][1].update(points=[[1, 2], [3, 4]]), "shape 1: expected 3 points"),
        (lambda c: c["shapes"][1].update(points=[[1, None]] * 3), "shape 1: a point is NaN"),
        (lambda c: c["shapes"][0].update(shape_type="spline"), "shape 0: unknown shape_type 'spli"),
        (
            lambda c: c["shapes"][0].update(label=None),
            "shape 0: expected label as a text, got noth",
        ),
        (lambda c: c.update(imagePath="lost.jpg"), "no picture lost.jpg, and none is embedded"),
        (lambda c: c.update(shapes=None), "expected shapes as a list, got nothing"),
        (lambda c: c.update(imageWidth=-4), "expected a height and width of 1 or more"),
    ],
)
def test_a_broken_labelme_file_costs_its_image(
    how: Callable[[Any], object], problem: str, tmp_path: Path
):
    make_labelme(tmp_path)
    path = change(labelme_file(tmp_path), how)
    assert left_out(tmp_path).startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"a": 1}', "\x00", '{"a": 1' + "1" * 5000]
)
def test_a_labelme_file_that_is_no_json_costs_its_image(text: str, tmp_path: Path):
    make_labelme(tmp_path)
    labelme_file(tmp_path).write_text(text)
    assert left_out(tmp_path).startswith(str(labelme_file(tmp_path)))


def test_a_labelme_file_that_is_no_text_costs_its_image(tmp_path: Path):
    make_labelme(tmp_path)
    labelme_file(tmp_path).write_bytes(b"\xff\xfe{}")
    assert "not UTF-8 text" in left_out(tmp_path)


def test_an_embedded_picture_that_is_broken_is_named(tmp_path: Path):
    make_labelme(tmp_path)
    path = change(tmp_path / "img_7.json", lambda c: c.update(imageData="AAAA"))
    assert refusal(tmp_path) == f"{path}: imageData: no picture that can be read"
    change(path, lambda c: c.update(imageData="%%%%"))
    assert refusal(tmp_path).startswith(f"{path}: imageData is no base64")


def test_all_labelme_files_broken_is_an_error(tmp_path: Path):
    make_labelme(tmp_path)
    for path in tmp_path.glob("*.json"):
        change(path, lambda c: c["shapes"][0].update(points=[]))
    assert "no annotated image: " in refusal(tmp_path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0 0.1 0.1 0.2", "line 3: expected a class and pairs of numbers, got 4 numbers"),
        ("0 0.1 0.1 0.2 0.2 0.9", "line 3: expected a class and pairs of numbers, got 6 numbers"),
        ("0 0.1 0.1 nan 0.2 0.3 0.3", "line 3: a point is NaN"),
        ("0 10 10 20 20 30 10", "line 3: expected fractions of the width and height, got pixels"),
        ("7 0.1 0.1 0.2 0.2 0.1 0.3", "line 3: no class 7; there are 2"),
        ("leaf 0.1 0.1 0.2 0.2 0.1 0.3", "line 3: no class leaf"),
        ("0 a b c d e f", "line 3: expected pairs of numbers"),
    ],
)
def test_a_broken_line_of_yolo_costs_its_image(line: str, problem: str, tmp_path: Path):
    make_yolo(tmp_path)
    path = tmp_path / "labels" / "train" / "img_2.txt"
    path.write_text(path.read_text() + line + "\n")
    assert left_out(tmp_path).startswith(f"{path}: {problem}")


def test_a_yolo_picture_without_labels_shows_no_object(tmp_path: Path):
    make_yolo(tmp_path)
    (tmp_path / "labels" / "train" / "img_2.txt").unlink()
    found = {sample.name: sample for sample in open_annotations(tmp_path, "train")}
    assert not found["img_2"].mask.any()


def test_yolo_labels_that_are_elsewhere_are_an_error(tmp_path: Path):
    make_yolo(tmp_path)
    (tmp_path / "labels").rename(tmp_path / "texts")
    (tmp_path / "labels").mkdir()
    assert "no picture has labels; " in refusal(tmp_path)


def test_yolo_yaml_that_names_no_folder_is_an_error(tmp_path: Path):
    make_yolo(tmp_path)
    path = tmp_path / "data.yaml"
    path.write_text(path.read_text().replace("images/train", "images/trian"))
    assert refusal(tmp_path) == f"{path}: {tmp_path}/images/trian: no such file or folder"


def test_yolo_boxes_are_told(tmp_path: Path):
    make_yolo(tmp_path)
    [finding] = read_export(tmp_path).findings
    assert finding.code == "filled_boxes"
    assert "img_0.txt: box in line 1 is filled" in finding.message


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('label="leaf"', 'label="root"', "image 0: mask 1: no label 'root'"),
        ('rle="', 'rle="7,', "image 0: mask 1: the run lengths add up"),
        ('rle="', 'rle="x', "image 0: mask 1: the run lengths are no whole numbers"),
        ('xtl="', 'xtl="nan', "image 0: box 0: expected xtl as a number, got 'nan30.00'"),
        ('z_order="2"', 'z_order="high"', "image 0: box 0: expected z_order as a number"),
        ('name="img_0.jpg"', 'name=""', "image 0: expected name as a text"),
        ('height="64"', 'height="x"', "image 0: expected the height as a number"),
    ],
)
def test_a_broken_shape_of_cvat_costs_its_image(old: str, new: str, problem: str, tmp_path: Path):
    make_cvat(tmp_path)
    path = tmp_path / "annotations.xml"
    path.write_text(path.read_text().replace(old, new, 1))
    export = read_export(tmp_path)
    told = [one.message for one in export.findings if one.code == "unreadable_annotation"]
    found = told[0] if told else refusal(tmp_path)
    assert found.startswith(f"{path}: {problem}")


def test_a_cvat_file_with_a_short_polygon_costs_its_image(tmp_path: Path):
    make_cvat(tmp_path)
    path = tmp_path / "annotations.xml"
    text = path.read_text()
    begin = text.index('<polygon label="stem" points="') + len('<polygon label="stem" points="')
    end = text.index('"', begin)
    path.write_text(text[:begin] + "1,1;2,2" + text[end:])
    assert "image 1: polygon 0: expected 3 points or more, got 2" in left_out(tmp_path)


def test_a_cvat_file_for_videos_is_refused(tmp_path: Path):
    make_cvat(tmp_path)
    path = tmp_path / "annotations.xml"
    path.write_text(path.read_text().replace("</annotations>", "<track id='0'/></annotations>"))
    assert 'the file is "CVAT for video"; export as "CVAT for images"' in refusal(tmp_path)


def test_an_xml_that_declares_entities_is_refused(tmp_path: Path):
    make_cvat(tmp_path)
    path = tmp_path / "annotations.xml"
    entities = '<!DOCTYPE a [<!ENTITY b "cccc"><!ENTITY d "&b;&b;&b;&b;">]>'
    text = path.read_text().replace("<meta>", "<meta>&d;", 1)
    path.write_text(text.replace("<annotations>", entities + "<annotations>", 1))
    assert "the XML has a document type, which CVAT does not write" in refusal(tmp_path)


def test_a_cvat_file_that_is_cut_off_is_an_error(tmp_path: Path):
    make_cvat(tmp_path)
    path = tmp_path / "annotations.xml"
    path.write_text(path.read_text()[:-30])
    assert refusal(tmp_path).startswith(f"{path}: the XML is broken: ")


def studio_value(changes: dict[str, Any], region: int = 0) -> Callable[[Any], object]:
    return lambda tasks: tasks[1]["annotations"][0]["result"][region]["value"].update(changes)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (studio_value({"rle": [1, 2, 999]}), "region r0: expected the brush's code as bytes"),
        (
            studio_value({"brushlabels": ["a", "b"]}),
            "region r0: expected one label, got ['a', 'b']",
        ),
        (studio_value({"x": float("nan")}, 1), "region r1: expected x as a number within"),
        (
            lambda tasks: tasks[1]["annotations"][0]["result"][0].update(image_rotation=90),
            "region r0: the picture was turned in Label Studio",
        ),
        (lambda tasks: tasks[1].update(data={}, file_upload=None), "expected a picture in data"),
        (lambda tasks: tasks[1].update(data={"image": "s3://b/lost.jpg"}), "no picture b/lost.jpg"),
    ],
)
def test_a_broken_task_of_label_studio_costs_its_image(
    how: Callable[[Any], object], problem: str, tmp_path: Path
):
    make_label_studio(tmp_path)
    path = change(tmp_path / STUDIO_FILE, how)
    found = left_out(tmp_path)
    assert found.startswith(f"{path}: task 2: ")
    assert problem.removeprefix("no picture b/") in found


def test_a_broken_brush_is_named_when_it_is_drawn(tmp_path: Path):
    make_label_studio(tmp_path)
    path = change(tmp_path / STUDIO_FILE, studio_value({"rle": [0, 0, 0]}))
    assert refusal(tmp_path).startswith(f"{path}: task 2: region r0: the brush's code is cut off")


def test_task_ids_that_repeat_are_an_error(tmp_path: Path):
    make_label_studio(tmp_path)
    change(tmp_path / STUDIO_FILE, lambda tasks: tasks[2].update(id=1))
    assert "the task id 1 is given twice" in refusal(tmp_path)


def test_tasks_that_nobody_annotated_are_told(tmp_path: Path):
    make_label_studio(tmp_path)
    codes = {finding.code: finding for finding in read_export(tmp_path).findings}
    assert codes["not_annotated"].message.endswith("task 99 has no annotation and is left out")
    assert "task 1 has 2 annotations" in codes["several_annotations"].message


def sly_object(changes: dict[str, Any], index: int = 0) -> Callable[[Any], object]:
    return lambda content: content["objects"][index].update(changes)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        (sly_object({"classTitle": "root"}), "object 0: no class 'root' in meta.json"),
        (sly_object({"points": {"exterior": [[1, 1]]}}), "object 0: expected 3 points or more"),
        (sly_object({"geometryType": "blob"}), "object 0: unknown geometryType 'blob'"),
        (sly_object({"bitmap": {"origin": [1]}}, 1), "object 1: expected origin as 2 numbers"),
        (lambda content: content.pop("size"), "expected size as an object, got nothing"),
    ],
)
def test_a_broken_file_of_supervisely_costs_its_image(
    how: Callable[[Any], object], problem: str, tmp_path: Path
):
    make_supervisely(tmp_path)
    path = change(tmp_path / "ds0" / "ann" / "img_2.jpg.json", how)
    assert left_out(tmp_path).startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    ("held", "problem"),
    [
        (zlib.compress(bytes(10**8)), "the bitmap unpacks to more than a picture holds"),
        (zlib.compress(b"x" * 100)[:-6], "the bitmap is cut off"),
        (b"no zlib", "the bitmap is no zlib data"),
        (zlib.compress(b"no picture"), "no picture that can be read"),
    ],
)
def test_a_bitmap_that_is_broken_or_a_bomb_is_named(held: bytes, problem: str, tmp_path: Path):
    make_supervisely(tmp_path)
    bitmap = {"origin": [0, 0], "data": base64.b64encode(held).decode()}
    path = tmp_path / "ds0" / "ann" / "img_2.jpg.json"
    change(path, sly_object({"bitmap": bitmap}, 1))
    assert refusal(tmp_path).startswith(f"{path}: object 1: {problem}")


def test_a_bitmap_that_is_larger_than_its_picture_is_not_decoded(tmp_path: Path):
    make_supervisely(tmp_path)
    bitmap = {"origin": [0, 0], "data": bitmap_text(np.ones((65, 96), bool))}
    path = tmp_path / "ds0" / "ann" / "img_2.jpg.json"
    change(path, sly_object({"bitmap": bitmap}, 1))
    assert "the bitmap is 65x96, the picture 64x96" in refusal(tmp_path)


def test_a_bitmap_beyond_the_edge_is_cut_off(tmp_path: Path):
    make_supervisely(tmp_path)
    bitmap = {"origin": [-5, 60], "data": bitmap_text(np.ones((10, 10), bool))}
    change(tmp_path / "ds0" / "ann" / "img_2.jpg.json", sly_object({"bitmap": bitmap}, 1))
    export = read_export(tmp_path)
    [image] = [one for one in export.splits["all"] if one.name.endswith("img_2")]
    mask = open_images(export, [image])[0].mask
    expected = np.zeros(SIZE_HW, bool)
    expected[60:, :5] = True
    np.testing.assert_array_equal(mask == 2, expected)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("root", "line 5: expected name:red,green,blue::, got 'root'"),
        ("root:1,2::", "line 5: expected name:red,green,blue::"),
        ("root:1,2,300::", "line 5: expected colors of 0 to 255"),
    ],
)
def test_a_broken_label_map_is_an_error(line: str, problem: str, tmp_path: Path):
    make_voc(tmp_path)
    path = tmp_path / "labelmap.txt"
    path.write_text(path.read_text() + line + "\n")
    assert refusal(tmp_path).startswith(f"{path}: {problem}")


def test_a_color_that_is_no_class_is_named(tmp_path: Path):
    make_voc(tmp_path)
    path = tmp_path / "labelmap.txt"
    path.write_text(path.read_text().replace("stem:250", "stem:251"))
    assert "colors that are no class: (250, 50, 83)" in refusal(tmp_path)


@pytest.mark.parametrize("kind", EXPORTS)
def test_no_byte_that_is_lost_gives_more_than_one_line(kind: str, tmp_path: Path):
    """Whatever is cut from an annotation's file ends in data or in one line."""
    EXPORTS[kind].make(tmp_path)
    suffixes = (".json", ".xml", ".yaml", ".txt")
    paths = sorted(path for path in tmp_path.rglob("*") if path.suffix in suffixes)
    rng = np.random.default_rng(0)
    for path in paths[:4]:
        held = path.read_bytes()
        for at in rng.integers(0, len(held), 12).tolist():
            path.write_bytes(held[:at] + held[at + int(rng.integers(1, 9)) :])
            assert "\n" not in said_of(tmp_path)
        path.write_bytes(held)


JUNK: tuple[Any, ...] = (None, [], {}, "x", "", -1, 1e308, float("nan"), [1], [[1]], {"a": 1}, True)


def spoil(content: Any, rng: np.random.Generator) -> None:
    """Puts junk in place of something anywhere in a JSON."""
    node = content
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = keys[int(rng.integers(len(keys)))]
        if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.2:
            node[key] = deepcopy(JUNK[int(rng.integers(len(JUNK)))])
            return
        node = node[key]


@pytest.mark.parametrize(
    "kind", ["COCO from CVAT", "Labelme", "Label Studio", "Supervisely", "COCO from Roboflow"]
)
def test_no_junk_in_a_json_gives_more_than_one_line(kind: str, tmp_path: Path):
    EXPORTS[kind].make(tmp_path)
    rng = np.random.default_rng(1)
    for path in sorted(tmp_path.rglob("*.json"))[-3:]:
        held = path.read_text()
        for _ in range(60):
            content = json.loads(held)
            for _ in range(int(rng.integers(1, 4))):
                spoil(content, rng)
            path.write_text(json.dumps(content))
            assert "\n" not in said_of(tmp_path)
        path.write_text(held)
