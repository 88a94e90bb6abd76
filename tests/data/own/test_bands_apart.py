"""Bands that are files of their own are joined to one picture, or the reason is told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile

from swiftseg.core import SwiftsegError
from swiftseg.data import check_data, open_dataset
from swiftseg.data.own.bands_apart import bands_in_order
from swiftseg.data.own.own_data import find_own_data
from tests.support.published_strangers import band, tiff
from tests.support.strangers import binary, mask, picture, save

COLORS = ("red", "green", "blue", "nir")


def make_apart(root: Path, names: Sequence[str] = COLORS, *, count: int = 5) -> None:
    for number in range(count):
        for at, name in enumerate(names):
            tiff(root / f"photos/{name}_{number}.tif", band(number, at) + np.uint16(at))
        save(root / f"masks/{number}.png", mask(number))


def codes_of(root: Path) -> dict[str, str]:
    return {finding.code: finding.message for finding in check_data(root).findings}


def test_bands_are_stacked_in_order_and_keep_their_values(tmp_path: Path):
    make_apart(tmp_path)
    for sample in open_dataset(tmp_path, "train+val"):
        stacked = [band(int(sample.name), at) + at for at in range(4)]
        np.testing.assert_array_equal(sample.image, np.stack(stacked, axis=-1))
        assert sample.image.dtype == np.uint16
        np.testing.assert_array_equal(sample.mask, mask(int(sample.name)))


def test_red_green_and_blue_of_8_bits_are_an_rgb_picture(tmp_path: Path):
    for number in range(4):
        for at, name in enumerate("RGB"):
            gray = (band(number, at) // 200).astype(np.uint8)
            # gray that is stored as RGB is one band, too
            save(tmp_path / f"{number}/{name}.png", np.stack([gray] * 3, -1) if at else gray)
        save(tmp_path / f"{number}/mask.png", binary(number))
    diagnosis = check_data(tmp_path)
    assert diagnosis.splits == {"all": 4}
    assert "bands" not in codes_of(tmp_path)
    sample = open_dataset(tmp_path, "val")[0]
    colors = [band(int(sample.name), at) // 200 for at in range(3)]
    np.testing.assert_array_equal(sample.image, np.stack(colors, axis=-1))


def test_a_picture_that_lacks_a_band_is_left_over(tmp_path: Path):
    make_apart(tmp_path)
    (tmp_path / "photos/blue_2.tif").unlink()
    (tmp_path / "photos/red_3.tif").unlink()
    diagnosis = check_data(tmp_path)
    assert diagnosis.splits == {"all": 3}
    assert not diagnosis.is_broken
    assert diagnosis.reading is not None
    left = {group.reason: group.count for group in diagnosis.reading.left_over}
    assert left == {"bands of images that lack others": 6, "masks without an image": 2}
    assert "other bands of its picture are missing; 6 such" in codes_of(tmp_path)["lacking_bands"]


def test_bands_of_another_size_are_left_out(tmp_path: Path):
    make_apart(tmp_path, ("B02", "B03", "B04", "B05"))
    for path in tmp_path.glob("photos/B05*"):
        tifffile.imwrite(path, tifffile.imread(path)[::2, ::2])
        save(path.with_name(path.name.replace("B05", "BQA")), np.zeros((48, 64), np.uint8))
    diagnosis = check_data(tmp_path)
    assert diagnosis.reading is not None
    assert diagnosis.reading.images == ("photos/{band:b04|b03|b02}_{name}.tif",)
    assert {group.reason: group.count for group in diagnosis.reading.left_over} == {
        "other images": 10
    }
    text = "image: 'photos/{band:B02|B05}_{name}.tif'\nmask: 'masks/{name}.png'\n"
    (tmp_path / "dataset.yaml").write_text(f"{text}names: [a, b, c]\n")
    with pytest.raises(SwiftsegError, match=r"B05_\d.tif: 24x32 of uint16, where the band"):
        list(open_dataset(tmp_path, "train"))


def test_a_pattern_of_one_band_is_told_how_to_take_all(tmp_path: Path):
    make_apart(tmp_path)
    text = "image: 'photos/green_{name}.tif'\nmask: 'masks/{name}.png'\nnames: [a, b, c]\n"
    (tmp_path / "dataset.yaml").write_text(text)
    assert "{band:red|green|blue|nir} in an image pattern" in codes_of(tmp_path)["bands_apart"]


def test_one_band_of_another_size_is_one_clear_error(tmp_path: Path):
    make_apart(tmp_path)
    path = tmp_path / "photos/nir_4.tif"
    tifffile.imwrite(path, tifffile.imread(path)[:20])
    diagnosis = check_data(tmp_path)
    [broken] = [finding for finding in diagnosis.findings if finding.severity == "broken"]
    assert "nir_4.tif: 20x64 of uint16, where the band" in broken.message
    with pytest.raises(SwiftsegError, match="need one size"):
        list(open_dataset(tmp_path, "train+val"))


def test_files_of_several_bands_are_not_joined(tmp_path: Path):
    text = "image: 'photos/{band:a|b}_{name}.png'\nmask: 'masks/{name}.png'\nnames: [a, b, c]\n"
    for number in range(2):
        save(tmp_path / f"photos/a_{number}.png", np.asarray(picture(number))[..., 0])
        save(tmp_path / f"photos/b_{number}.png", picture(number))
        save(tmp_path / f"masks/{number}.png", mask(number))
    (tmp_path / "dataset.yaml").write_text(text)
    diagnosis = check_data(tmp_path)
    assert diagnosis.is_broken
    assert "b_0.png: expected one band, got 3" in diagnosis.findings[0].message


def test_letters_that_each_have_a_mask_are_no_bands(tmp_path: Path):
    for letter in "RGB":
        for number in range(4):
            save(tmp_path / f"{letter}/{number}.png", band(number).astype(np.uint8))
            save(tmp_path / f"{letter}/{number}_mask.png", binary(number))
    assert "bands" not in codes_of(tmp_path)
    assert "they are not joined" in codes_of(tmp_path)["bands_apart"]


def test_the_yaml_says_the_order(tmp_path: Path):
    make_apart(tmp_path)
    pattern = "photos/{band:nir|Red|green}_{name}.tif"
    (tmp_path / "dataset.yaml").write_text(
        f"image: '{pattern}'\nmask: 'masks/{{name}}.png'\nnames: [a, b, c]\n"
    )
    [pair, *_] = find_own_data(tmp_path).pairs
    assert [path.name for path in pair.bands] == ["nir_0.tif", "red_0.tif", "green_0.tif"]
    assert open_dataset(tmp_path, "train")[0].image.shape[2] == 3


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (("nir", "blue", "red", "green"), "red green blue nir"),
        (("re", "g", "nir", "r"), "r g nir re"),
        (("b11", "b02", "b8a", "b03", "b04", "b08"), "b04 b03 b02 b08 b8a b11"),
        (("band3", "band1", "band10", "band2"), "band1 band2 band3 band10"),
    ],
)
def test_colors_come_first(names: Sequence[str], ordered: str):
    assert " ".join(bands_in_order(names)) == ordered
