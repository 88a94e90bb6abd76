import io
import sys

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images import fast_jpeg
from swiftseg.data.images.image_file import read_image

pytest.importorskip("simplejpeg")

RNG = np.random.default_rng(4)


@pytest.fixture
def photo():
    """Smooth shapes and noise, of odd sides: what transforms and upsampling work on."""
    waves = np.sin(np.arange(75)[:, None] / 9) * np.cos(np.arange(101) / 13)
    base = 128 + 90 * waves[..., None] * np.array([1.0, -0.6, 0.3])
    return np.clip(base + RNG.normal(0, 12, (75, 101, 3)), 0, 255).astype(np.uint8)


def pillow_pixels(path):
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def decoded_here(path):
    with Image.open(path) as header:
        return fast_jpeg.decode_jpeg(path, header)


@pytest.mark.parametrize("quality", [30, 75, 92, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_pixels_are_pillows(tmp_path, photo, quality, subsampling, progressive):
    path = tmp_path / "a.jpg"
    options = {"subsampling": subsampling, "quality": quality, "progressive": progressive}
    Image.fromarray(photo).save(path, **options)
    pixels = decoded_here(path)
    assert pixels is not None
    assert pixels.flags.writeable
    np.testing.assert_array_equal(pixels, pillow_pixels(path))


@pytest.mark.parametrize("options", [{"keep_rgb": True}, {"restart_marker_rows": 1}])
def test_stored_rgb_and_restart_markers_are_pillows(tmp_path, photo, options):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo).save(path, **options)
    np.testing.assert_array_equal(decoded_here(path), pillow_pixels(path))


def test_gray_is_pillows(tmp_path, photo):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo).convert("L").save(path)
    np.testing.assert_array_equal(decoded_here(path), pillow_pixels(path))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_cmyk_and_what_is_no_jpeg_is_left_to_pillow(tmp_path, photo, name):
    path = tmp_path / name
    image = Image.fromarray(photo)
    (image.convert("CMYK") if name == "a.jpg" else image).save(path)
    assert decoded_here(path) is None
    np.testing.assert_array_equal(read_image(path), pillow_pixels(path))


def test_what_pillow_forgives_stays_forgiven(tmp_path, photo):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", restart_marker_rows=1)
    data = bytearray(buffer.getvalue())
    scan = data.index(b"\xff\xda")
    data[scan + 300 : scan + 340] = bytes(40)  # spoils a few blocks of the scan
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert decoded_here(path) is None
    np.testing.assert_array_equal(read_image(path), pillow_pixels(path))


def test_half_a_file_is_refused_in_the_same_words(tmp_path, photo, monkeypatch):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SwiftsegError) as fast:
        read_image(path)
    monkeypatch.setattr(fast_jpeg, "_simplejpeg", lambda: None)
    with pytest.raises(SwiftsegError) as slow:
        read_image(path)
    assert str(fast.value) == str(slow.value)


def test_without_simplejpeg_pillow_decodes(tmp_path, photo, monkeypatch):
    path = tmp_path / "a.jpg"
    Image.fromarray(photo).save(path)
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    fast_jpeg._simplejpeg.cache_clear()
    try:
        assert decoded_here(path) is None
        np.testing.assert_array_equal(read_image(path), pillow_pixels(path))
    finally:
        fast_jpeg._simplejpeg.cache_clear()
