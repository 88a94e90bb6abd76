import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data.images.image_file import read_mask
from swiftseg.inference import Segmentation
from tests.support.exported import SHADES


@pytest.fixture
def segmentation():
    image = np.random.default_rng(1).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    label_map = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]], dtype=np.uint8)
    return Segmentation(image, label_map, SHADES, {})


def test_shares_count_every_class(segmentation):
    assert segmentation.class_shares() == {"dark": 0.5, "dim": 0.0, "bright": 0.5}


def test_what_is_saved_reads_back(segmentation, tmp_path):
    segmentation.save(tmp_path / "new" / "labels.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "new/labels.png"), segmentation.label_map)
    colors = np.array(Image.open(tmp_path / "new/labels.png").convert("RGB"))
    np.testing.assert_array_equal(colors, SHADES.colors[segmentation.label_map])


def test_a_lossy_format_is_refused(segmentation, tmp_path):
    with pytest.raises(SwiftsegError, match=r"labels\.jpg: label maps are saved as \.png"):
        segmentation.save(tmp_path / "labels.jpg")
    assert not list(tmp_path.iterdir())


def test_the_overlay_shows_both(segmentation):
    np.testing.assert_array_equal(segmentation.overlay(0), segmentation.image)
    np.testing.assert_array_equal(segmentation.overlay(1), SHADES.colors[segmentation.label_map])
