"""What is looked at of a picture's pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data.own.look import CROP, THUMBNAIL_HW, look_at


@pytest.mark.parametrize("size_hw", [(7, 5), (CROP + 3, 40), (CROP + 100, CROP + 51)])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_the_same_pixels_are_seen_in_a_picture_and_in_an_array(
    tmp_path: Path, mode: str, size_hw: tuple[int, int]
):
    values = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    image = Image.fromarray(values).convert(mode)
    image.save(tmp_path / "picture.png")
    look = look_at(tmp_path / "picture.png")
    pixels = np.array(image)
    rows, columns = (
        np.linspace(0, side - 1, cells).astype(int)
        for side, cells in zip(size_hw, THUMBNAIL_HW, strict=True)
    )
    small = pixels[rows][:, columns]
    top, left = (max(0, (side - CROP) // 2) for side in size_hw)
    middle = pixels[top : top + CROP, left : left + CROP].reshape(-1, *pixels.shape[2:])
    assert look is not None
    assert look.size_hw == size_hw
    assert look.num_values == len(np.unique(middle, axis=0))
    np.testing.assert_array_equal(look.gray, small if small.ndim == 2 else small.mean(axis=-1))


@pytest.mark.parametrize("quality", [15, 50, 90])
def test_a_gray_jpeg_of_little_contrast_is_a_photograph(tmp_path: Path, quality: int):
    rows, columns = np.mgrid[:240, :320]
    hills = np.sin(rows / 19) + np.cos(columns / 23) + np.sin((rows + columns) / 31)
    noise = np.random.default_rng(0).normal(0, 2, hills.shape)
    shaded = (120 + 12 * hills + noise).astype(np.uint8)
    levels = np.array([0, 90, 180], np.uint8)[np.digitize(hills, [-0.5, 1.0])]
    for name, pixels in (("picture", shaded), ("mask", levels)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.jpg", quality=quality)
    picture, mask = (look_at(tmp_path / f"{name}.jpg") for name in ("picture", "mask"))
    assert picture is not None
    assert mask is not None
    assert picture.maskness == 0.05
    assert mask.maskness == 0.8
