import numpy as np
import pytest

from swiftseg.core import LabelSet
from swiftseg.render import with_legend, without_font

LABELS = LabelSet(
    names=("road", "sky", "a name of some length"),
    palette=((255, 0, 0), (0, 255, 0), (0, 0, 255)),
)


def shows(strip, color):
    return (strip == color).all(axis=-1).any()


@pytest.mark.parametrize("size_hw", [(20, 16), (90, 120), (360, 480), (100, 2000)])
def test_the_picture_stays_and_every_color_is_shown(size_hw):
    image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)

    picture = with_legend(image, LABELS)

    height, width = size_hw
    assert picture.dtype == np.uint8
    assert picture.shape[1] >= width
    np.testing.assert_array_equal(picture[:height, :width], image)
    assert all(shows(picture[height:], color) for color in LABELS.palette)


def test_with_shares_only_what_is_there_is_named():
    image = np.zeros((50, 600, 3), dtype=np.uint8)
    strip = with_legend(image, LABELS, {"road": 0.25, "sky": 0.75, LABELS.names[2]: 0.0})[50:]
    assert not shows(strip, (0, 0, 255))
    first_red = (strip == (255, 0, 0)).all(axis=-1).nonzero()[1].min()
    first_green = (strip == (0, 255, 0)).all(axis=-1).nonzero()[1].min()
    assert first_green < first_red  # the larger share comes first


def test_text_is_written():
    strip = with_legend(np.zeros((10, 800, 3), dtype=np.uint8), LABELS)[10:]
    assert shows(strip, (235, 235, 235))


def test_the_strip_is_the_same_beneath_every_frame_and_belongs_to_none():
    image = np.zeros((10, 800, 3), dtype=np.uint8)
    first = with_legend(image, LABELS)
    expected = first.copy()
    first[:] = 7  # a caller may draw on its picture
    np.testing.assert_array_equal(with_legend(image, LABELS), expected)


def test_names_in_other_scripts_are_written_or_numbered():
    greek = LabelSet(("δρόμος", "ουρανός"), LABELS.palette[:2])
    strip = with_legend(np.zeros((10, 800, 3), dtype=np.uint8), greek)[10:]
    assert (strip == (235, 235, 235)).all(axis=-1).any()
    unknown = LabelSet(("\U0010fffd", "ουρανός"), LABELS.palette[:2])  # no font has this letter
    numbered = LabelSet(("class 0", "ουρανός"), LABELS.palette[:2])
    image = np.zeros((10, 800, 3), dtype=np.uint8)
    np.testing.assert_array_equal(with_legend(image, unknown), with_legend(image, numbered))
    assert without_font(unknown.names) == ["\U0010fffd"]
    assert without_font(LABELS.names) == []
