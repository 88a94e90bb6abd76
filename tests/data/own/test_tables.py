from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError
from swiftseg.data import check_data
from swiftseg.data.own.class_files import find_class_files, find_readme_names
from swiftseg.data.own.naming import find_hints, shown_word
from swiftseg.data.own.tables import read_table
from tests.support.strangers import BINARY, to_255, two


@pytest.mark.parametrize(
    ("name", "text", "header", "cells"),
    [
        ("a.txt", "# of pairs\n\na.jpg b.png\n", (), [("a.jpg", "b.png")]),
        ("a.txt", "a b.jpg\tc d.png\n", (), [("a b.jpg", "c d.png")]),
        ("a.csv", "\ufeff,image,mask\r\n0,a.jpg,b.png\r\n", ("", "image", "mask"), None),
        ("a.csv", '"a, b.jpg","c.png"\n', (), [("a, b.jpg", "c.png")]),
        ("a.csv", "x.jpg;y.png\n", (), [("x.jpg", "y.png")]),
        ("a.json", '["a.jpg", "b.jpg"]', (), [("a.jpg",), ("b.jpg",)]),
        ("a.json", '[{"image": "a.jpg", "n": 3}]', (), [("a.jpg",)]),
    ],
)
def test_lists_are_read_however_they_are_written(tmp_path: Path, name, text, header, cells):
    (tmp_path / name).write_bytes(text.encode())
    table = read_table(tmp_path / name)
    assert table.header == header
    assert [row.cells for row in table.rows] == (cells or [("0", "a.jpg", "b.png")])


def test_a_column_or_a_key_names_the_splits(tmp_path: Path):
    (tmp_path / "a.csv").write_text("file,subset\na.jpg,train\nb.jpg,Validation\n")
    assert [row.split for row in read_table(tmp_path / "a.csv").rows] == ["train", "val"]
    (tmp_path / "a.json").write_text('{"test": ["a"], "note": ["b"]}')
    assert [row[1:] for row in read_table(tmp_path / "a.json").rows] == [(("a",), "test")]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80abc"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(SwiftsegError, match=r"a\.txt: .*no UTF-8 text"):
        read_table(tmp_path / "a.txt")


RED, BLUE = (200, 30, 30), (30, 60, 220)


@pytest.mark.parametrize(
    ("name", "text", "colors", "values"),
    [
        ("class_dict.csv", "name,r,g,b\ncar,200,30,30\nsky,30,60,220\n", (RED, BLUE), None),
        ("class_dict_seg.csv", "name, r, g, b\ncar, 200, 30, 30\nsky, 30, 60, 220\n", 0, None),
        ("_classes.csv", "Pixel Value, Class\n0, car\n1, sky\n", None, (0, 1)),
        ("labelmap.txt", "# label:color_rgb:parts\ncar:200,30,30::\nsky:30,60,220::\n", 0, None),
        ("label_colors.txt", "200 30 30\tcar\n30 60 220\tsky\n", 0, None),
        ("classes.txt", "car\nsky\n", None, None),
        ("classes.txt", "0: car\n1: sky\n", None, (0, 1)),
        ("colormap.txt", "0 car 200 30 30\n1 sky 30 60 220\n", 0, (0, 1)),
        ("classes.json", '["car", "sky"]', None, None),
        ("classes.json", '{"classes": [{"title": "car", "color": "#C81E1E"}, '
         '{"title": "sky", "color": "#1E3CDC"}]}', 0, None),
    ],
)  # fmt: skip
def test_files_that_name_classes(tmp_path: Path, name: str, text: str, colors, values):
    (tmp_path / name).write_text(text)
    (table,) = find_class_files(tmp_path)
    assert table.names == ("car", "sky")
    assert table.colors == (None if colors is None else (RED, BLUE))
    assert table.values == values


@pytest.mark.parametrize(
    "text",
    [
        "Annotations: 1: Cat 2:Dog 3: Not classified\n",
        " 1 - Cat\n 2 - Dog\n 3 - Not classified\n",
        "| id | class | color |\n|---|---|---|\n| 1 | Cat | (1, 1, 1) |\n| 2 | Dog | (2, 2, 2) |\n"
        "| 3 | Not classified | (3, 3, 3) |\n",
    ],
)
def test_a_readme_names_values(tmp_path: Path, text: str):
    (tmp_path / "README").write_text(text)
    assert find_readme_names(tmp_path) == {1: "Cat", 2: "Dog", 3: "Not classified"}


@pytest.mark.parametrize(
    "text",
    [
        "Step 1: Download\nStep 2: Unzip",
        "v1.0: first\nv1.1: masks",
        "Fig. 1: Scans. Fig. 2: x",
        "1: first release of the data\n2: fixed masks",
    ],
)
def test_other_numbers_of_a_readme_name_nothing(tmp_path: Path, text: str):
    (tmp_path / "README.md").write_text(text)
    assert find_readme_names(tmp_path) == {}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("labels.csv", "filename,label\n000.jpg,cat\n001.jpg,dog\n"),
        ("labels.txt", "000.jpg 0\n001.jpg 1\nnew.jpg 2\n"),
        ("names.txt", "images/000.jpg\nimages/001.jpg\n"),
        ("labels.txt", "img0\nimg1\nimg2\n"),
    ],
)
def test_a_table_of_images_names_no_classes(tmp_path: Path, file: str, text: str):
    (tmp_path / file).write_text(text)
    assert find_class_files(tmp_path)
    assert find_hints(tmp_path, (), (), stems={"img0", "img1"}).tables == ()


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("classes.txt", "indoor\noutdoor\n", BINARY),
        ("categories.txt", "indoor\noutdoor\nstreet\n", BINARY),
        ("labels.txt", "0 benign\n1 malignant\n", BINARY),
        ("classes.txt", "polyp\n", ("background", "polyp")),
        ("classes.txt", "crack\nbackground\n", ("background", "crack")),
        ("classes.txt", "non-water\nwater\n", ("non-water", "water")),
    ],
)
def test_names_of_a_black_and_white_mask_say_which_is_nothing(
    tmp_path: Path, file: str, text: str, names: tuple[str, ...]
):
    two(tmp_path, "images/{}.jpg", "masks/{}.png", change=to_255)
    (tmp_path / file).write_text(text)
    assert_named(tmp_path, names, is_used=names != BINARY)


NUMBERED = ("class_0", "class_1", "class_2")


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("label_list.csv", ",patient,diagnosis\n0,p0,well\n1,p1,ill\n2,p2,ill\n3,p3,ill\n", None),
        ("labels.csv", "patient,age\nAnna,51\nBert,52\nCara,53\nDora,54\n", None),
        ("labels.txt", "\n".join(f"p{number}" for number in range(9)), None),
        ("labels.csv", "id,label\n0,sky\n1,tree\n2,road\n3,car\n", ("sky", "tree", "road", "car")),
        ("labels.csv", "nr,what\n0,sky\n1,tree\n2,road\n", ("sky", "tree", "road")),
        ("classes.txt", "sky\ntree\nroad\ncar\n", ("sky", "tree", "road", "car")),
    ],
)
def test_a_table_of_something_else_names_no_classes(
    tmp_path: Path, file: str, text: str, names: tuple[str, ...] | None
):
    two(tmp_path, "images/{}.jpg", "masks/{}.png")
    (tmp_path / file).write_text(text)
    assert_named(tmp_path, names or NUMBERED, is_used=names is not None)


def test_a_list_of_the_images_folders_names_no_classes(tmp_path: Path):
    for name in ("001.Wren", "002.Finch"):
        two(tmp_path, f"images/{name}/{{}}.jpg", f"masks/{name}/{{}}.png", change=to_index)
    (tmp_path / "classes.txt").write_text("1 001.Wren\n2 002.Finch\n")
    labels = check_data(tmp_path).labels
    assert labels is not None
    assert labels.names == BINARY


def to_index(values: np.ndarray) -> np.ndarray:
    return (values > 0).astype(np.uint8)


def assert_named(root: Path, names: tuple[str, ...], *, is_used: bool) -> None:
    diagnosis = check_data(root)
    assert diagnosis.labels is not None
    assert diagnosis.labels.names == names
    codes = {finding.code for finding in diagnosis.findings}
    assert ("unused_names" in codes) is not is_used


@pytest.mark.parametrize(
    ("mask", "word"),
    [
        ("mask-hair/{name}.png", "hair"),
        ("gt/{name}_building.tif", "building"),
        ("masks_resized/{name}.png", None),
        ("labels/{name}_mask_final.png", None),
        ("vessel/{name}_mask_BDP.tif", None),
    ],
)
def test_a_binary_masks_class_is_what_its_path_shows(mask: str, word: str | None):
    assert shown_word(["images/{name}.jpg"], [mask]) == word
