"""Masks of several channels give the classes that were written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data import check_data, open_dataset
from swiftseg.data.images.array_file import read_array
from tests.support.published_strangers import PUBLISHED_CASES
from tests.support.strangers import mask


@pytest.mark.parametrize(
    "name",
    [
        *("small numbers in 16 bits", "one-hot arrays", "one-hot, channels first"),
        *("one-hot TIFFs", "one-hot TIFFs of 255"),
    ],
)
def test_the_classes_are_those_that_were_written(name: str, tmp_path: Path):
    PUBLISHED_CASES[name].make(tmp_path)
    data = open_dataset(tmp_path, "train")
    for sample in data:
        number = int(Path(sample.name).stem.removesuffix("a"))
        np.testing.assert_array_equal(sample.mask, mask(number))


def test_channels_that_share_a_pixel_or_leave_one_out_are_refused(tmp_path: Path):
    channels = np.eye(5, dtype=np.uint8)[mask(0)]
    for value in (0, 1):
        changed = channels.copy()
        changed[3, 4] = value
        np.save(tmp_path / "a.npy", changed)
        with pytest.raises(SwiftsegError, match="one 1 at each pixel"):
            read_array(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(5, 0, 3), (0, 5, 3), (4, 4, 0)])
def test_an_array_without_a_pixel_is_refused(tmp_path: Path, shape: tuple[int, ...]):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(SwiftsegError, match=r"a\.npy: expected a mask of rows and columns"):
        read_array(tmp_path / "a.npy")


def test_many_colors_in_few_masks_may_be_classes(tmp_path: Path):
    colors = np.random.default_rng(0).integers(0, 255, (40, 3), np.uint8)
    for number in range(2):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 255, (64, 80, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"images/{number}.png")
        stripes = np.repeat(np.repeat(colors[20 * number :][None, :20], 4, axis=1), 64, axis=0)
        Image.fromarray(stripes).save(tmp_path / f"masks/{number}.png")
    diagnosis = check_data(tmp_path)
    assert "object_colors" not in {finding.code for finding in diagnosis.findings}
    assert diagnosis.labels is not None
    assert len(diagnosis.labels) == 40
