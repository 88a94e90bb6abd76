import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.data.images import phone_formats
from swiftseg.data.images.header import read_header
from swiftseg.data.images.image_file import decode_image, read_image

# Quarters of red, green, blue and white, 48 x 32, written by pillow-heif with an orientation of 6.
TURNED = Path(__file__).parent / "turned.heic"


@pytest.fixture
def quarters():
    image = np.zeros((32, 48, 3), np.uint8)
    image[:16, :24], image[:16, 24:] = (200, 30, 30), (30, 200, 30)
    image[16:, :24], image[16:, 24:] = (30, 30, 200), (240, 240, 240)
    return image


def test_avif_is_read(tmp_path, quarters):
    path = tmp_path / "a.avif"
    Image.fromarray(quarters).save(path, quality=100)
    assert np.median(np.abs(read_image(path).astype(int) - quarters)) < 4
    np.testing.assert_array_equal(decode_image(path.read_bytes()), read_image(path))


def test_heic_is_read_upright_once(quarters):
    picture = read_image(TURNED)
    expected = np.rot90(quarters, -1)
    assert picture.shape == expected.shape
    assert np.median(np.abs(picture.astype(int) - expected)) < 8
    assert read_header(TURNED).shown_hw == (48, 32)


def test_without_its_reader_heic_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    phone_formats._reads_heic.cache_clear()
    with pytest.raises(MissingExtraError, match=r"turned\.heic: .*swiftseg\[heic\]"):
        read_image(TURNED)
    phone_formats._reads_heic.cache_clear()


def test_a_broken_file_is_one_line(tmp_path):
    path = tmp_path / "a.heic"
    path.write_bytes(TURNED.read_bytes()[:300])
    with pytest.raises(SwiftsegError, match=r"a\.heic"):
        read_image(path)
