from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.own.dataset_file import dataset_file_text, read_dataset_file
from tests.support.broken_datasets import COLORS, class_mask, describe, make_good, rewrite_masks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [a, b]\npalete: []\n", "did you mean palette"),
        ("names: [a, b]\nmask_encoding: rgb\n", "rgb needs a palette or a label_mapping"),
        ("names: [a]\nmask_encoding: binary\n", "binary needs 2 names, got 1"),
        ("names: [a, b]\nmask_encoding: colour\n", "'index', 'rgb', 'palette' or 'binary'"),
        ("names: {0: a, 2: b}\n", r"indices 0 to 1, got \[0, 2\]"),
        ("names: [a, b]\nignore_index: 1\n", "ignore_index 1 is the class 'b'"),
        ("names: [a, b]\nlabel_mapping: {0: a, 7: bb}\n", "unknown class 'bb'"),
        ("names: [a, b]\nlabel_mapping: {0: a, 70000: b}\n", "values of 0 to 65535, got 70000"),
        ("names: [a, b]\nlabel_mapping: {0: a, 7: 5}\n", "class of 0 to 1, got 5"),
        (
            "names: [a, b]\nmask_encoding: rgb\nlabel_mapping: {0: a}\n",
            'a color such as "128,64,128", got 0',
        ),
        (
            "names: [a, b]\nignore_index: null\nlabel_mapping: {0: ignore}\n",
            "ignore needs an ignore_index",
        ),
        ("names: [a, b]\nignore_index: null\ntolerance: 9\n", "tolerance needs an ignore_index"),
        ("names: [a, b]\npath: nowhere\n", "no such folder"),
        ("names: [a, b]\npalette: [[0, 0, 0]]\n", "got colors: 1, classes: 2"),
        ("names: 3\n", r"names: expected names as text, .*, got 3$"),
        ("names: [yes, no]\n", r"in quotes where YAML reads something else .*, got True$"),
        ("names: [a]\npalette: ['#ff0000']\n", r"red, green and blue, such as .*, got #ff0000$"),
        ("names: [a]\npalette: [[1, 2, 300]]\n", r"in 0..255, got \[1, 2, 300\]$"),
        (
            "names: [a]\nignore_index: none\n",
            "expected a whole number up to 255 or null, got none$",
        ),
        ("train: images/train\n", "names is missing"),
        ("[1, 2]\n", r"expected keys and their values, got \[1, 2\]"),
        ("", "expected keys and their values, got nothing"),
        ("names: [a, b]\nnames: [b, a]\n", "the key names is given twice"),
        ("names: [a, b]\nlabel_mapping: {0: a, 1: b, 0: b}\n", "the key 0 is given twice"),
        (f"names: {'x' * 500}\n", r"got x{60}\.\.\.$"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, words: str):
    root = describe(make_good(tmp_path / "data"), text)
    with pytest.raises(SwiftsegError, match=words) as caught:
        open_dataset(root, "train")
    assert str(root / "dataset.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "train: images/train\nval: images/val\nmasks: masks\n",
        "train: images/train\nval: images/val\n",
        "train: images/train\nmasks: {train: masks/train}\n",
        "train: ABSOLUTE/images/train\n",
        "train: pairs.txt\n",
        "train: frames.txt\nmasks: masks/train\n",
        "",
    ],
)
def test_images_and_masks_are_found_wherever_the_yaml_says(tmp_path: Path, text: str):
    root = make_good(tmp_path / "data")
    names = [f"frame_{index}" for index in range(6)]
    pairs = [f"images/train/{name}.jpg, masks/train/{name}.png" for name in names]
    (root / "pairs.txt").write_text("# image, mask\n" + "\n".join(pairs) + "\n")
    (root / "frames.txt").write_text("\n".join(f"images/train/{name}.jpg" for name in names))
    path = tmp_path / "my data.yaml"
    path.write_text(f"path: data\nnames: [soil, crop, weed]\n{text.replace('ABSOLUTE', str(root))}")
    train, val = open_dataset(path, "train"), open_dataset(path, "val")
    if "val" in text or not text:
        assert (len(train), len(val)) == (6, 2)
    else:  # a fifth is held out
        assert (len(train), len(val)) == (5, 1)
    for sample in (*train, *val):
        assert sample.mask.max() == 2


def test_images_elsewhere_have_their_masks_beside_them(tmp_path: Path):
    root = make_good(tmp_path / "data")
    path = tmp_path / "descriptions" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(f"names: [soil, crop, weed]\ntrain: {root}/images/train\n")
    assert len(open_dataset(path, "train")) == 5


def test_gray_masks_with_transparency_are_read(tmp_path: Path):
    root = rewrite_masks(
        make_good(tmp_path / "data"), lambda mask: Image.fromarray(mask).convert("LA")
    )
    np.testing.assert_array_equal(open_dataset(root, "val")[0].mask, class_mask(6))


MASKS = {
    "names: [soil, crop, weed]\n": lambda mask: mask,
    "names: {0: soil, 1: crop, 2: weed}\nmask_encoding: palette\n": lambda mask: as_palette(mask),
    "names: [soil, crop, weed]\nmask_encoding: rgb\n"
    "palette: [[0, 0, 0], [200, 30, 30], [30, 60, 220]]\n": lambda mask: COLORS[mask],
    'names: [soil, crop, weed]\nmask_encoding: rgb\nlabel_mapping: {"0,0,0": soil, '
    '"200,30,30": 1, "30, 60, 220": weed}\n': lambda mask: COLORS[mask],
    "names: [soil, crop, weed]\nlabel_mapping: {10: soil, 20: crop, 30: weed}\n": lambda mask: (
        mask * 10 + 10
    ),
    "names: [soil, crop, weed]\nlabel_mapping: {0: 0, 100: 1, 200: 2}\n"
    "tolerance: 9\n": lambda mask: mask * 100 + np.uint8(np.indices(mask.shape).sum(0) % 9),
}


def as_palette(mask: np.ndarray) -> Image.Image:
    image = Image.fromarray(mask)
    image.putpalette(COLORS.tobytes())
    return image


@pytest.mark.parametrize("text", MASKS)
def test_every_encoding_gives_the_classes(tmp_path: Path, text: str):
    root = describe(rewrite_masks(make_good(tmp_path / "data"), MASKS[text]), text)
    dataset = open_dataset(root, "train")
    assert dataset.labels.names == ("soil", "crop", "weed")
    for seed, sample in enumerate(dataset):
        np.testing.assert_array_equal(sample.mask, class_mask(seed))


def test_what_is_mapped_to_ignore_is_ignored(tmp_path: Path):
    text = "names: [plant]\nlabel_mapping: {0: ignore, 1: plant, 2: plant}\n"
    dataset = open_dataset(describe(make_good(tmp_path / "data"), text), "train")
    expected = np.where(class_mask(0) == 0, 255, 0)
    np.testing.assert_array_equal(dataset[0].mask, expected)


@pytest.mark.parametrize("ignored", [-1, -100])
def test_a_negative_ignore_index_is_read_as_255(tmp_path: Path, ignored: int):
    """Losses of other programs call ignored pixels so; no 8-bit mask can hold the number."""
    mapping = "{0: ignore, 1: crop, 2: weed}"
    text = f"names: [crop, weed]\nignore_index: {ignored}\nlabel_mapping: {mapping}\n"
    dataset = open_dataset(describe(make_good(tmp_path / "data"), text), "train")
    assert dataset.labels.ignore_index == 255
    expected = np.array([255, 0, 1], np.uint8)[class_mask(0)]
    np.testing.assert_array_equal(dataset[0].mask, expected)


@pytest.mark.parametrize("bright", [1, 255])
def test_binary_masks_of_1_and_of_255(tmp_path: Path, bright: int):
    root = rewrite_masks(
        make_good(tmp_path / "data", num_classes=2), lambda mask: mask * np.uint8(bright)
    )
    described = describe(root, "names: [soil, plant]\nmask_encoding: binary\n")
    mask = open_dataset(described, "train")[0].mask
    np.testing.assert_array_equal(mask, class_mask(0, num_classes=2))


def test_gray_images_become_rgb(tmp_path: Path):
    root = make_good(tmp_path / "data")
    path = root / "images" / "train" / "frame_0.jpg"
    Image.open(path).convert("L").save(path)
    image = open_dataset(root, "train")[0].image
    assert image.shape == (48, 64, 3)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_a_description_is_written_as_it_is_read(tmp_path: Path):
    for text in MASKS:
        path = tmp_path / "dataset.yaml"
        path.write_text(text)
        file = read_dataset_file(path)
        path.write_text(dataset_file_text(file))
        assert read_dataset_file(path) == file


def test_the_keys_of_other_programs_are_read(tmp_path: Path):
    make_good(tmp_path / "field")
    text = "path: field\ntrain: images/train\nval: images/val\nmasks_dir: masks\nnc: 3\n"
    (tmp_path / "theirs.yaml").write_text(text + "names: {0: soil, 1: crop, 2: weed}\n")
    data = open_dataset(tmp_path / "theirs.yaml", "train")
    assert (len(data), data.labels.names) == (6, ("soil", "crop", "weed"))
    (tmp_path / "theirs.yaml").write_text(text)
    labels = open_dataset(tmp_path / "theirs.yaml", "val").labels
    assert labels.names == ("class_0", "class_1", "class_2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nc: 2\nnames: [a, b, c]", "nc is 2, and there are 3 names"),
        ("nc: many", "nc: expected 1 to 255 classes, got many"),
        ("masks: a\nmasks_dir: b\nnames: [a]", "masks and masks_dir say the same"),
    ],
)
def test_keys_of_other_programs_that_contradict_are_refused(
    tmp_path: Path, text: str, message: str
):
    (tmp_path / "theirs.yaml").write_text(text)
    with pytest.raises(SwiftsegError, match=message):
        read_dataset_file(tmp_path / "theirs.yaml")
