"""An overlay's file."""

import io

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import LabelSet
from swiftseg.prediction.outputs import jpeg, overlay_jpeg
from swiftseg.render import with_legend

LABELS = LabelSet(("road", "sky"), ((128, 64, 128), (70, 130, 180)))


@pytest.mark.parametrize("size_hw", [(300, 200), (520, 1200), (8, 8)])
def test_the_legend_is_added_in_strips_as_a_whole(size_hw: tuple[int, int]):
    picture = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    shares = {"road": 0.7, "sky": 0.3}
    whole = jpeg(with_legend(picture, LABELS, shares))
    assert overlay_jpeg(picture, LABELS, shares) == whole
    assert overlay_jpeg(picture, LABELS, shares, legend=False) == jpeg(picture)


def test_an_overlay_that_is_longer_than_a_jpeg_shows_every_other_pixel():
    picture = np.zeros((3, 70_000, 3), np.uint8)
    picture[:, ::2] = (0, 200, 0)  # what is shown
    for data in (jpeg(picture), overlay_jpeg(picture, LABELS, {}), jpeg(picture.swapaxes(0, 1))):
        shown = np.asarray(Image.open(io.BytesIO(data)))
        assert 35_000 in shown.shape
        assert abs(shown[0, 0].astype(int) - (0, 200, 0)).max() < 4
