import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.own.folders import common_ending
from swiftseg.data.own.own_data import find_own_data
from swiftseg.data.own.splits import hold_out_val
from swiftseg.data.paired_files import Pair
from tests.support.broken_datasets import make_good, renamed


def split_first(root: Path) -> None:
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            (root / split).mkdir(exist_ok=True)
            (root / kind / split).rename(root / split / kind)


def lists(root: Path) -> None:
    for split in ("train", "val"):
        images = sorted((root / "images" / split).iterdir())
        for kind in ("images", "masks"):
            (root / kind / split).rename(root / f"{kind} of {split}")
        lines = [f"images of {split}/{i.name}\tmasks of {split}/{i.stem}.png" for i in images]
        (root / f"{split}.txt").write_text("\n".join(lines))
    for kind in ("images", "masks"):
        (root / kind).rmdir()


def other_words(root: Path) -> None:
    for kind in ("images", "masks"):
        (root / kind / "train").rename(root / kind / "training")
        (root / kind / "val").rename(root / kind / "valid")


def in_folders(root: Path) -> None:
    for kind in ("images", "masks"):
        for split, group in (("train", "city/day"), ("val", "night")):
            files = list((root / kind / split).iterdir())
            (root / kind / split / group).mkdir(parents=True)
            (root / kind / split / ".hidden").mkdir()
            for path in files:
                shutil.copy(path, root / kind / split / ".hidden" / f"copy{path.suffix}")
                path.rename(path.parent / group / path.name)


def suffixed(root: Path) -> None:
    renamed(root, "_leftImg8bit", "_gtFine_labelIds")


def masks_suffixed(root: Path) -> None:
    renamed(root, "", "_mask")


def as_it_is(root: Path) -> None:
    del root


@pytest.mark.parametrize(
    "rearrange", [as_it_is, split_first, lists, other_words, in_folders, suffixed, masks_suffixed]
)
def test_the_usual_trees_are_recognized(tmp_path: Path, rearrange):
    root = make_good(tmp_path / "data")
    rearrange(root)
    train, val = open_dataset(root, "train"), open_dataset(root, "val")
    assert (len(train), len(val)) == (6, 2)
    assert train.labels.names == ("class_0", "class_1", "class_2")
    with pytest.raises(UsageError, match="unknown split 'trian'; did you mean train"):
        open_dataset(root, "trian")


@pytest.mark.parametrize("rearrange", [in_folders, suffixed, masks_suffixed])
def test_each_image_keeps_its_mask(tmp_path: Path, rearrange):
    good, changed = make_good(tmp_path / "good"), make_good(tmp_path / "changed")
    rearrange(changed)
    for one, other in zip(open_dataset(good, "train"), open_dataset(changed, "train"), strict=True):
        assert other.name.endswith(one.name)
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


def test_folders_that_are_no_splits_are_one(tmp_path: Path):
    root = make_good(tmp_path / "data")
    for kind in ("images", "masks"):
        (root / kind / "train").rename(root / kind / "day")
        (root / kind / "val").rename(root / kind / "night")
    train, val = (open_dataset(root, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (6, 2)
    names = {sample.name for sample in (*train, *val)}
    assert {name.partition("/")[0] for name in names} == {"day", "night"}


@pytest.mark.parametrize(
    ("names", "ending"),
    [
        (["a_mask", "b_mask"], "_mask"),
        (["x_1_sat", "y_1_sat"], "_1_sat"),
        (["a0", "b0"], ""),
        (["_mask", "b_mask"], ""),
        ([], ""),
    ],
)
def test_a_common_ending_begins_at_a_sign_between_words(names: list[str], ending: str):
    assert common_ending(names) == ending


def test_a_tree_that_nobody_knows_is_told_what_it_holds(tmp_path: Path):
    root = make_good(tmp_path / "data")
    shutil.rmtree(root / "masks")
    expected = r"mask: PATTERN.*got 8 images, such as .*frame_0\.jpg, but no masks that belong to"
    with pytest.raises(SwiftsegError, match=expected):
        find_own_data(root)
    with pytest.raises(SwiftsegError, match=expected):
        open_dataset(root, "train")
    with pytest.raises(SwiftsegError, match=r"got 6 images"):
        open_dataset(root / "images" / "train", "train")
    (root / "nothing").mkdir()
    with pytest.raises(SwiftsegError, match=r"got an empty folder$"):
        open_dataset(root / "nothing", "train")


def test_a_list_may_begin_with_a_byte_order_mark_and_end_in_csv(tmp_path: Path):
    root = make_good(tmp_path / "data")
    pairs = [f"images/train/frame_{i}.jpg,masks/train/frame_{i}.png" for i in range(5)]
    path = root / "pairs.csv"
    path.write_text("\r\n".join(pairs), encoding="utf-8-sig")
    assert len(open_dataset(path, "train")) == 4


def test_images_without_masks_are_no_test_split(tmp_path: Path):
    root = make_good(tmp_path / "data")
    (root / "images" / "test").mkdir()
    Image.new("RGB", (8, 8)).save(root / "images" / "test" / "a.png")
    with pytest.raises(UsageError, match="unknown split 'test'; choose from train, val"):
        open_dataset(root, "test")


def test_a_list_alone_is_split(tmp_path: Path):
    root = make_good(tmp_path / "data")
    lists(root)
    train, val = (open_dataset(root / "train.txt", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (5, 1)
    assert {s.name for s in train}.isdisjoint(s.name for s in val)


def named(*names: str) -> list[Pair]:
    return [Pair(name, Path(name), Path(name)) for name in names]


def test_held_out_names_do_not_depend_on_order_or_on_most_others():
    pairs = named(*(f"frame_{index}" for index in range(100)))
    splits = hold_out_val({"all": pairs})
    again = hold_out_val({"train": pairs[::-1]})
    val = {pair.name for pair in splits["val"]}
    assert (len(splits["train"]), len(val)) == (80, 20)
    assert val == {pair.name for pair in again["val"]}
    more = hold_out_val({"all": [*pairs, *named("one", "two", "three")]})
    assert len(val & {pair.name for pair in more["val"]}) >= 17


def test_a_given_val_is_left_alone():
    splits = {"train": named("a", "b"), "val": named("c")}
    assert hold_out_val(splits) == splits


def test_an_image_without_its_mask_is_left_out_and_told(tmp_path: Path):
    root = make_good(tmp_path / "data")
    (root / "masks" / "train" / "frame_3.png").unlink()
    assert len(open_dataset(root, "train")) == 5
    (finding,) = find_own_data(root).findings
    assert (finding.severity, finding.code, finding.count) == ("warning", "image_without_mask", 1)
    assert "frame_3.jpg: no mask belongs to it" in finding.message


def test_in_a_folder_that_a_yaml_names_a_lost_mask_is_refused(tmp_path: Path):
    root = make_good(tmp_path / "data")
    (root / "masks" / "train" / "frame_3.png").unlink()
    (root / "dataset.yaml").write_text("names: [a, b, c]\ntrain: images/train\n")
    with pytest.raises(SwiftsegError, match=r"frame_3\.jpg: no mask in .*swiftseg data check"):
        open_dataset(root, "train")


@pytest.mark.parametrize("white", [1, 255])
def test_black_drawings_on_white_are_what_masks_show(white: int, tmp_path: Path):
    """The edges of all masks are white: that is the background, whatever its value."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(6):
        drawn = np.zeros((24, 32), bool)
        drawn[4 + number : 14, 5:20] = True
        noise = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"images/{number}.png")
        shown = np.where(drawn, 0, white).astype(np.uint8)
        Image.fromarray(shown).save(tmp_path / f"masks/{number}.png")
    dataset = open_dataset(tmp_path, "val")
    assert dataset.labels.names == ("background", "foreground")
    number = int(dataset[0].name)
    np.testing.assert_array_equal(np.argwhere(dataset[0].mask == 1)[0], (4 + number, 5))
    assert dataset[0].mask[0, 0] == 0


def test_classes_times_a_thousand_and_objects_are_doubted(tmp_path: Path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(6):
        noise = np.random.default_rng(number).integers(0, 256, (24, 32, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"images/{number}.png")
        ids = np.zeros((24, 32), np.uint16)
        ids[:9], ids[9:18] = 1001, 1002 + number % 2
        Image.fromarray(ids).save(tmp_path / f"masks/{number}.png")
    _, findings = find_own_data(tmp_path).described()
    assert [finding.code for finding in findings] == ["numbered_objects"]
