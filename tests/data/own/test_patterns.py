from pathlib import Path

import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data.own.file_tree import TreeFile, split_suffix
from swiftseg.data.own.patterns import Pattern, match_files


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("images/{name}.jpg", "images/a.jpg", {"name": "a"}),
        ("images/{name}.jpg", "images/day/a.JPG", {"name": "day/a"}),
        ("images/{name}.jpg", "images/a.png", None),
        ("images/{name}.*", "images/a.webp", {"name": "a"}),
        ("{split}/{name}_{split}.tif", "training/21_train.tif", {"split": "train", "name": "21"}),
        ("{split}/{name}_{split}.tif", "training/21_test.tif", None),
        ("{number}.jpg", "0007.jpg", {"number": "7"}),
        ("**/{number}_{class}.png", "a/b/7_hair.png", {"number": "7", "class": "hair"}),
        ("**/{number}_{class}.png", "7_l_eye.png", {"number": "7", "class": "l_eye"}),
        ("{folder}/{folder}_lesion/*.bmp", "A1/A1_lesion/x.bmp", {"folder": "A1"}),
        ("{folder}/{folder}_lesion/*.bmp", "A1/A2_lesion/x.bmp", None),
        ("images/{file}", "images/a.jpg", {"file": "a.jpg"}),
        ("a+b/{name}.png", "a+b/1.png", {"name": "1"}),
        ("{name}", "noend", {"name": "noend"}),
    ],
)
def test_a_path_has_the_fields_that_its_pattern_says(pattern: str, path: str, fields):
    assert Pattern(pattern).match(path) == fields


@pytest.mark.parametrize("text", ["images/a.jpg", "", "images/{name.jpg"])
def test_what_is_no_pattern_is_refused(text: str):
    with pytest.raises(SwiftsegError, match=r"expected a path with fields such as images/\{name\}"):
        Pattern(text)


def files(*paths: str) -> list[TreeFile]:
    parts = [(path, *split_suffix(Path(path).name)) for path in paths]
    return [TreeFile(path, Path(path).parts[:-1], stem, suffix) for path, stem, suffix in parts]


def test_a_file_is_an_image_or_a_mask_and_the_closer_pattern_has_it():
    images, masks = [Pattern("{name}.png")], [Pattern("{name}_mask.png")]
    match = match_files(images, masks, files("a.png", "a_mask.png", "b.png", "c_mask.png", "d.txt"))
    assert [(i.path, [m.path for m in ms]) for i, ms in match.pairs] == [("a.png", ["a_mask.png"])]
    assert [m.path for m in match.images_alone] == ["b.png"]
    assert [m.path for m in match.masks_alone] == ["c_mask.png"]
    assert match.unmatched == ["d.txt"]


def test_two_images_of_one_name_are_told():
    match = match_files(
        [Pattern("i/{name}.*")], [Pattern("m/{name}.png")], files("i/a.jpg", "i/a.png", "m/a.png")
    )
    assert match.pairs == []
    assert [[m.path for m in same] for same in match.same_key] == [["i/a.jpg", "i/a.png"]]


def test_patterns_without_a_common_field_are_refused():
    with pytest.raises(SwiftsegError, match="have no field in common"):
        match_files([Pattern("i/{name}.jpg")], [Pattern("m/{number}.png")], [])
