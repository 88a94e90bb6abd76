from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.paired_files import are_proportional
from swiftseg.data.published.camvid import CAMVID_LABELS
from tests.support.tiny_camvid import make_tiny_camvid


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    return make_tiny_camvid(tmp_path / "camvid")


def first_mask(camvid: Path) -> Path:
    return camvid / "trainannot" / "0001TP_000000.png"


def test_camvid_is_recognized_and_read(camvid: Path):
    dataset = open_dataset(camvid, "train")
    sample = dataset[0]
    assert len(dataset) == 6
    assert dataset.labels == CAMVID_LABELS
    assert (sample.name, sample.image.shape, sample.mask.shape) == (
        "0001TP_000000",
        (24, 32, 3),
        (24, 32),
    )
    assert sample.image.dtype == sample.mask.dtype == np.uint8
    np.testing.assert_array_equal(sample.mask, np.asarray(Image.open(first_mask(camvid))))
    assert [s.name for s in dataset] == [f"0001TP_{i:06d}" for i in range(6)]


def test_own_folder_with_a_dataset_file(tmp_path: Path):
    for folder in ("images/train", "masks/train"):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (8, 6)).save(tmp_path / "images/train/a.jpg")
    Image.fromarray(np.full((6, 8), 1, np.uint8)).save(tmp_path / "masks/train/a.png")
    (tmp_path / "dataset.yaml").write_text("names: [soil, crop]\n")
    dataset = open_dataset(tmp_path, "train")
    assert dataset.labels.names == ("soil", "crop")
    assert dataset.labels.ignore_index == 255
    assert dataset[0].mask.max() == 1


@pytest.mark.parametrize(
    "text", ["", "names: 3", "names: [a, b]\ncolour: red", "{", "names: [a, a]", "names: []"]
)
def test_a_bad_dataset_file_is_named(tmp_path: Path, text: str):
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(SwiftsegError, match=r"dataset\.yaml: ") as caught:
        open_dataset(tmp_path, "train")
    assert "\n" not in str(caught.value)


def test_a_mask_of_another_size(camvid: Path):
    Image.new("L", (30, 24)).save(first_mask(camvid))
    with pytest.raises(SwiftsegError, match=r"0001TP_000000\.png: the mask is 24x30 .* is 24x32"):
        open_dataset(camvid, "train")[0]


def test_a_mask_value_outside_the_classes_is_counted(camvid: Path):
    mask = np.zeros((24, 32), np.uint8)
    mask[0, :3] = 77
    Image.fromarray(mask).save(first_mask(camvid))
    with pytest.raises(
        SwiftsegError, match=r"0001TP_000000\.png: .* 77 \(3 pixels\); expected 0\.\.10 or 11"
    ):
        open_dataset(camvid, "train")[0]


def test_an_rgb_mask(camvid: Path):
    Image.new("RGB", (32, 24)).save(first_mask(camvid))
    with pytest.raises(SwiftsegError, match=r"0001TP_000000\.png: expected an index mask"):
        open_dataset(camvid, "train")[0]


def test_a_frame_without_its_mask(camvid: Path):
    first_mask(camvid).unlink()
    with pytest.raises(SwiftsegError, match=r"train/0001TP_000000\.png: no mask in .*trainannot"):
        open_dataset(camvid, "train")


def test_a_mask_without_its_frame(camvid: Path):
    (camvid / "train" / "0001TP_000000.png").unlink()
    with pytest.raises(SwiftsegError, match=r"trainannot/0001TP_000000\.png: no image in"):
        open_dataset(camvid, "train")


def test_two_frames_of_one_name(camvid: Path):
    Image.new("RGB", (32, 24)).save(camvid / "train" / "0001TP_000000.jpg")
    with pytest.raises(SwiftsegError, match="has the same name"):
        open_dataset(camvid, "train")


def test_missing_and_empty_folders(tmp_path: Path, camvid: Path):
    with pytest.raises(SwiftsegError, match="no such folder"):
        open_dataset(tmp_path / "nowhere", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SwiftsegError, match=r"no masks found; expected .* got an empty folder"):
        open_dataset(tmp_path / "empty", "train")
    for path in (camvid / "val").iterdir():
        path.unlink()
    with pytest.raises(SwiftsegError, match="no images in this folder"):
        open_dataset(camvid, "val")


def test_an_unknown_split_names_the_nearest(camvid: Path):
    with pytest.raises(UsageError, match="unknown split 'trian'; did you mean train"):
        open_dataset(camvid, "trian")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((101, 128), (100, 128), True),
        ((128, 101), (128, 100), True),
        ((1080, 1920), (270, 480), True),
        ((375, 1242), (188, 621), True),
        ((299, 299), (256, 256), True),
        ((103, 128), (100, 128), False),
        ((48, 64), (20, 32), False),
        ((100, 200), (200, 100), False),
    ],
)
def test_proportions_are_the_same_up_to_a_pixel(
    one: tuple[int, int], other: tuple[int, int], *, expected: bool
):
    assert are_proportional(one, other) is are_proportional(other, one) is expected
