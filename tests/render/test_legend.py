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
    np.testing.assert_array_equal(picture[:height, :width], image)
    picture[:height, :width] = 0
    assert all(shows(picture, color) for color in LABELS.palette)


@pytest.mark.parametrize(("size_hw", "is_beside"), [((360, 480), False), ((360, 640), True)])
def test_it_is_beside_a_wide_picture_and_beneath_others(size_hw, is_beside):
    picture = with_legend(np.zeros((*size_hw, 3), np.uint8), LABELS)
    assert (picture.shape[0] == size_hw[0]) is is_beside
    assert (picture.shape[1] == size_hw[1]) is not is_beside


def test_what_is_not_drawn_is_not_named():
    labels = LabelSet(("background", *LABELS.names), ((1, 200, 200), *LABELS.palette))
    picture = with_legend(np.zeros((90, 120, 3), np.uint8), labels, hide=("sky",))
    assert [shows(picture, color) for color in labels.palette] == [False, True, False, True]
    image = np.zeros((9, 12, 3), np.uint8)
    np.testing.assert_array_equal(with_legend(image, labels, {"background": 1.0}), image)


def test_with_shares_only_what_is_there_is_named():
    image = np.zeros((500, 600, 3), dtype=np.uint8)
    strip = with_legend(image, LABELS, {"road": 0.25, "sky": 0.75, LABELS.names[2]: 0.0})[500:]
    assert not shows(strip, (0, 0, 255))
    first_red = (strip == (255, 0, 0)).all(axis=-1).nonzero()[1].min()
    first_green = (strip == (0, 255, 0)).all(axis=-1).nonzero()[1].min()
    assert first_green < first_red  # the larger share comes first


def test_text_is_written():
    strip = with_legend(np.zeros((800, 800, 3), dtype=np.uint8), LABELS)[800:]
    assert shows(strip, (235, 235, 235))


def test_the_strip_is_the_same_beneath_every_frame_and_belongs_to_none():
    image = np.zeros((10, 800, 3), dtype=np.uint8)
    first = with_legend(image, LABELS)
    expected = first.copy()
    first[:] = 7  # a caller may draw on its picture
    np.testing.assert_array_equal(with_legend(image, LABELS), expected)


def test_names_in_other_scripts_are_written_or_numbered():
    greek = LabelSet(("δρόμος", "ουρανός"), LABELS.palette[:2])
    strip = with_legend(np.zeros((800, 800, 3), dtype=np.uint8), greek)[800:]
    assert (strip == (235, 235, 235)).all(axis=-1).any()
    unknown = LabelSet(("\U0010fffd", "ουρανός"), LABELS.palette[:2])  # no font has this letter
    numbered = LabelSet(("class 0", "ουρανός"), LABELS.palette[:2])
    image = np.zeros((10, 800, 3), dtype=np.uint8)
    np.testing.assert_array_equal(with_legend(image, unknown), with_legend(image, numbered))
    assert without_font(unknown.names) == ["\U0010fffd"]
    assert without_font(LABELS.names) == []
