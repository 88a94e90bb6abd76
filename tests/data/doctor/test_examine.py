from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.doctor import check_data, check_structure, contact_sheet, with_ignored
from swiftseg.data.doctor.class_counts import training_counts
from swiftseg.data.opening import DATASETS
from swiftseg.data.own.dataset_file import dataset_file_text, read_dataset_file
from swiftseg.data.own.finding import refuse_broken
from swiftseg.data.own.own_data import find_own_data
from tests.support.broken_datasets import (
    CASES,
    COLORS,
    all_masks,
    class_mask,
    make_good,
    rewrite_masks,
)
from tests.support.dataset_trees import TREES


@pytest.mark.parametrize("name", CASES)
def test_each_broken_dataset_gets_its_diagnosis(tmp_path: Path, name: str):
    case = CASES[name]
    diagnosis = check_data(case.make(tmp_path / "data"))
    found = {finding.code: finding for finding in diagnosis.findings}
    assert case.code in found, found
    assert found[case.code].severity == case.severity
    assert diagnosis.is_broken == (case.severity == "broken")
    for finding in diagnosis.findings:
        assert finding.message
        assert "\n" not in finding.message


def test_a_good_dataset_has_no_finding(tmp_path: Path):
    diagnosis = check_data(make_good(tmp_path / "data"))
    assert diagnosis.findings == ()
    assert diagnosis.splits == {"train": 6, "val": 2}
    assert diagnosis.file is not None
    assert diagnosis.file.mask_encoding == "index"


def test_the_corpus_is_large_enough():
    assert sum(case.severity == "broken" for case in CASES.values()) >= 20


STRUCTURAL = [
    "two images of one name", "an empty image", "text for a mask", "a mask of other proportions",
    "a mask of half the size where none is said", "one pair", "a list with a lost file",
]  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURAL)
def test_training_refuses_with_the_same_words(tmp_path: Path, name: str):
    source = CASES[name].make(tmp_path / "data")
    message = next(f.message for f in check_data(source).findings if f.code == CASES[name].code)
    with pytest.raises(SwiftsegError) as caught:
        refuse_broken(check_structure(find_own_data(source)), source)
    assert str(caught.value).startswith(message)


def test_the_start_of_a_training_tells_of_its_course(tmp_path: Path):
    own = find_own_data(make_good(tmp_path / "data"))
    told: list[int] = []
    check_structure(own, lambda: told.append(1))
    own.described(lambda: told.append(1))
    assert len(told) == 2 * len(own.pairs)


@pytest.mark.parametrize(
    "name", ["a value that is no class", "a color that is no class", "a truncated mask"]
)
def test_the_reader_refuses_with_the_same_words(tmp_path: Path, name: str):
    source = CASES[name].make(tmp_path / "data")
    message = next(f.message for f in check_data(source).findings if f.code == CASES[name].code)
    with pytest.raises(SwiftsegError) as caught:
        list(open_dataset(source, "train"))
    assert str(caught.value) == message


def test_classes_are_counted_as_a_loop_over_the_files_counts(tmp_path: Path):
    root = make_good(tmp_path / "data")
    diagnosis = check_data(root)
    masks = [np.array(Image.open(path)) for path in sorted((root / "masks/train").iterdir())]
    counts = training_counts(diagnosis.counts)
    for value in range(3):
        assert counts.pixels[value] == sum(int((mask == value).sum()) for mask in masks)
        assert counts.masks[value] == sum(bool((mask == value).any()) for mask in masks)
    total = sum(mask.size for mask in [np.array(Image.open(p)) for p in all_masks(root)])
    first = sum(int((np.array(Image.open(p)) == 0).sum()) for p in all_masks(root))
    assert diagnosis.values[0].value == "0"
    assert diagnosis.values[0].share == pytest.approx(first / total)
    assert sum(row.share for row in diagnosis.values) == pytest.approx(1)


def test_colors_where_numbers_are_described_are_shown_as_colors_and_are_no_class(tmp_path: Path):
    root = rewrite_masks(make_good(tmp_path / "data"), lambda mask: COLORS[mask])
    (root / "dataset.yaml").write_text("names: [soil, crop, weed]\n")
    diagnosis = check_data(root)
    assert {row.value for row in diagnosis.values} == {str(tuple(c)) for c in COLORS.tolist()}
    assert {row.meaning for row in diagnosis.values} == {"unknown"}


@pytest.mark.parametrize("name", ["blended edges", "colors saved as JPEG"])
def test_damaged_colors_are_snapped_to_the_classes(tmp_path: Path, name: str):
    root = CASES[name].make(tmp_path / "data")
    diagnosis = check_data(root)
    assert diagnosis.file is not None
    expected = sorted(tuple(color) for color in COLORS.tolist())
    found = sorted(diagnosis.file.palette or ())
    assert np.abs(np.array(found) - np.array(expected)).max() <= 8
    by_color = np.argsort([color[0] << 16 | color[1] << 8 | color[2] for color in COLORS.tolist()])
    rank = np.argsort(by_color)
    truth = rank[class_mask(0)]
    read = open_dataset(root, "train")[0].mask
    known = read != 255
    assert (read[known] == truth[known]).mean() > 0.99
    assert known.mean() > 0.8


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: mask,
        lambda mask: (mask * 85).astype(np.uint8),
        lambda mask: COLORS[mask],
        lambda mask: np.where(mask > 0, 255, 0).astype(np.uint8),
        lambda mask: np.stack([mask] * 3, axis=-1),
    ],
    ids=["index", "gray levels", "rgb", "binary", "index as rgb"],
)
def test_the_proposed_yaml_reads_what_the_folder_alone_gives(tmp_path: Path, change):
    root = rewrite_masks(make_good(tmp_path / "data"), change)
    diagnosis = check_data(root)
    assert not diagnosis.is_broken
    assert diagnosis.file is not None
    path = tmp_path / "elsewhere" / "dataset.yaml"
    path.parent.mkdir()
    path.write_text(dataset_file_text(diagnosis.file))
    assert read_dataset_file(path) == diagnosis.file
    from_yaml, from_folder = open_dataset(path, "train"), open_dataset(root, "train")
    assert from_yaml.labels == from_folder.labels
    truth = class_mask(0)
    classes = len(from_yaml.labels)
    read = from_yaml[0].mask
    np.testing.assert_array_equal(read, from_folder[0].mask)
    # Classes may be numbered anew, but each value keeps one class of its own.
    assert len({(int(t), int(r)) for t, r in zip(truth.flat, read.flat, strict=True)}) == 3
    assert set(np.unique(read)) == set(range(classes))


def test_the_contact_sheet_shows_the_pairs(tmp_path: Path):
    diagnosis = check_data(make_good(tmp_path / "data"))
    assert diagnosis.labels is not None
    assert diagnosis.rules is not None
    sheet = contact_sheet(diagnosis.pairs, diagnosis.labels, diagnosis.rules)
    assert sheet is not None
    colors = {tuple(color) for color in sheet.reshape(-1, 3).tolist()}
    assert set(diagnosis.labels.palette) <= colors


def test_the_legend_of_the_sheet_tells_what_is_ignored():
    labels = LabelSet(("soil", "crop"), ((0, 0, 0), (0, 160, 0)), ignore_index=255)
    assert with_ignored(labels).names == ("soil", "crop", "(ignored)")
    assert with_ignored(replace(labels, ignore_index=None)).names == ("soil", "crop")


@pytest.mark.parametrize(
    "name", [name for name, reader in DATASETS.items() if reader.is_tree is not None]
)
def test_a_published_dataset_is_read_as_its_reader_reads_it(tmp_path: Path, name: str):
    root = TREES[name](tmp_path / name)
    diagnosis = check_data(root)
    assert not diagnosis.is_broken
    assert "published_dataset" in {finding.code for finding in diagnosis.findings}
    train = open_dataset(root, "train")
    assert diagnosis.labels == train.labels
    assert diagnosis.splits["train"] == len(train)
    masks = np.concatenate([sample.mask.ravel() for sample in train])
    np.testing.assert_array_equal(
        diagnosis.counts["train"].pixels, np.bincount(masks, minlength=256)
    )


def test_what_is_broken_in_a_published_dataset_is_told_as_training_tells_it(tmp_path: Path):
    root = TREES["voc"](tmp_path / "voc")
    pairs = open_dataset(root, "train").pairs
    pairs[0].image.write_bytes(b"")
    pairs[1].mask.write_text("mask")
    broken = [f for f in check_data(root).findings if f.severity == "broken"]
    assert [(f.code, f.count, f.message) for f in broken] == [
        ("unreadable_pair", 2, f"{pairs[0].image}: the file is empty (0 bytes)")
    ]
    pairs[1].mask.unlink()
    broken = [f for f in check_data(root).findings if f.severity == "broken"]
    with pytest.raises(SwiftsegError) as caught:
        open_dataset(root, "train")
    assert [f.message for f in broken] == [f"train: {caught.value}"]
