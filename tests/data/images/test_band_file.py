import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images.band_file import read_picture
from swiftseg.data.images.header import read_header
from swiftseg.data.images.image_file import read_image

RNG = np.random.default_rng(0)
GRAY: dict[str, Any] = {"photometric": "minisblack"}
DEEP = RNG.integers(0, 60000, (20, 30, 5), dtype=np.uint16)
FLAT = RNG.integers(0, 256, (20, 30, 5), dtype=np.uint8)


@pytest.mark.parametrize(
    ("stored", "options", "expected"),
    [
        (DEEP, {**GRAY, "planarconfig": "contig"}, DEEP),
        (np.moveaxis(DEEP, 2, 0), {**GRAY, "planarconfig": "separate"}, DEEP),
        (DEEP, {**GRAY, "planarconfig": "contig", "tile": (16, 16), "compression": "lzw"}, DEEP),
        (np.moveaxis(FLAT, 2, 0), GRAY, FLAT),  # a page a band
        (
            FLAT[..., :4],
            {"photometric": "rgb", "extrasamples": [0]},
            FLAT[..., :4],
        ),  # near infrared
        (DEEP[..., :3], {"photometric": "rgb"}, DEEP[..., :3]),
        (DEEP[..., 0], GRAY, DEEP[..., :1]),
        (DEEP[..., :2].astype(np.float32) / 7, GRAY, DEEP[..., :2].astype(np.float32) / 7),
        (DEEP[..., 0].astype(np.int16), GRAY, DEEP[..., :1].astype(np.int16)),
        (DEEP[..., 0] / 9, GRAY, (DEEP[..., :1] / 9).astype(np.float32)),
    ],
)
def test_no_band_and_no_bit_is_lost(
    tmp_path: Path, stored: np.ndarray, options: dict[str, Any], expected: np.ndarray
):
    path = tmp_path / "picture.tif"
    if stored.shape[-1] == 2:
        options = {**options, "planarconfig": "contig"}
    tifffile.imwrite(path, stored, **options)
    picture = read_picture(path)
    assert picture.dtype == expected.dtype
    np.testing.assert_array_equal(picture, expected)
    header = read_header(path)
    assert header.size_hw == (20, 30)
    assert header.kind == (expected.shape[2], expected.dtype.name)
    if expected.shape[2] == 1 and expected.dtype.kind in "iu":
        assert read_image(path).dtype == np.uint8  # gray is stretched for models of RGB
        return
    with pytest.raises(SwiftsegError, match=r"picture\.tif: .*(8-bit RGB|8 bits per channel)"):
        read_image(path)


def test_what_is_8_bit_rgb_stays_so(tmp_path: Path):
    for name, options in (("rgb.tif", {"photometric": "rgb"}), ("gray.tif", GRAY)):
        pixels = FLAT[..., :3] if name == "rgb.tif" else FLAT[..., 0]
        tifffile.imwrite(tmp_path / name, pixels, **options)
        picture = read_picture(tmp_path / name)
        np.testing.assert_array_equal(picture, np.broadcast_to(np.atleast_3d(pixels), (20, 30, 3)))
        assert read_header(tmp_path / name).kind == (3, "uint8")


def test_a_pyramid_is_its_full_size(tmp_path: Path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(DEEP, subifds=1, planarconfig="contig", **GRAY)
        writer.write(DEEP[::2, ::2], subfiletype=1, planarconfig="contig", **GRAY)
    np.testing.assert_array_equal(read_picture(path), DEEP)


def test_gray_of_16_bits_in_a_png(tmp_path: Path):
    Image.fromarray(DEEP[..., 0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "gray.png"), DEEP[..., :1])


def test_values_that_are_no_numbers_are_one_line(tmp_path: Path):
    pixels = DEEP.astype(np.float32)
    pixels[3, 4, 1] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", pixels, planarconfig="contig", **GRAY)
    with pytest.raises(SwiftsegError, match=r"nan\.tif: 1 values are not numbers"):
        read_picture(tmp_path / "nan.tif")


def test_a_truncated_tiff_is_one_line(tmp_path: Path):
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, DEEP, planarconfig="contig", **GRAY)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(SwiftsegError, match=r"cut\.tif: ") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


def test_what_tifffile_logs_of_a_damaged_file_is_not_shown(tmp_path: Path):
    seed = Path(__file__).parents[2] / "fuzz/found/mask/tiff_of_many_strips"
    (tmp_path / "mask.tif").write_bytes(seed.read_bytes()[1:])  # the first chose the kind of file
    script = """
from swiftseg.core import SwiftsegError
from swiftseg.data.images.image_file import read_mask
try:
    read_mask("mask.tif")
except SwiftsegError as error:
    print(error)
"""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_more_bands_or_bytes_than_any_picture_has_are_refused_unread(tmp_path: Path):
    tifffile.imwrite(
        tmp_path / "many.tif", np.zeros((8, 9, 5000), np.uint8), planarconfig="contig", **GRAY
    )
    with pytest.raises(SwiftsegError, match=r"many\.tif: 5,000 bands, and at most 4,096 are read"):
        read_picture(tmp_path / "many.tif")
    shape = (9000, 9000, 15)  # a sparse file, of which nothing is on the disk
    wide = {"shape": shape, "dtype": np.uint8, "planarconfig": "contig", **GRAY}
    tifffile.memmap(tmp_path / "wide.tif", **wide)
    with pytest.raises(SwiftsegError, match=r"wide\.tif: its 15 bands take 1,158 MB"):
        read_picture(tmp_path / "wide.tif")
