from pathlib import Path

import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.own.layout import hold_out_val
from swiftseg.data.paired_files import Pair
from tests.support.broken_datasets import make_good


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


def as_it_is(root: Path) -> None:
    del root


@pytest.mark.parametrize("rearrange", [as_it_is, split_first, lists])
def test_the_usual_trees_are_recognized(tmp_path: Path, rearrange):
    root = make_good(tmp_path / "data")
    rearrange(root)
    train, val = open_dataset(root, "train"), open_dataset(root, "val")
    assert (len(train), len(val)) == (6, 2)
    assert train.labels.names == ("class_0", "class_1", "class_2")
    with pytest.raises(UsageError, match="unknown split 'trian'; did you mean train"):
        open_dataset(root, "trian")


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


def test_a_pair_without_its_mask_is_refused_with_the_doctors_hint(tmp_path: Path):
    root = make_good(tmp_path / "data")
    (root / "masks" / "train" / "frame_3.png").unlink()
    with pytest.raises(SwiftsegError, match=r"frame_3\.jpg: no mask in .*swiftseg data check"):
        open_dataset(root, "train")
