import numpy as np
import pytest

from swiftseg.core import InputSpec, SwiftsegError, UsageError
from swiftseg.inference import Segmenter
from swiftseg.inference.fitting import FITS, Area, choose_fit, letterbox
from tests.support.exported import shade_labels, write_shade_model

SIZE_HW = (12, 16)


@pytest.fixture
def segmenter(tmp_path) -> Segmenter:
    return Segmenter.load(write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW))


@pytest.mark.parametrize(
    ("frame_hw", "fit"),
    [
        ((12, 16), "stretch"),
        ((90, 120), "stretch"),
        ((24, 28), "stretch"),
        ((16, 12), "stretch"),
        ((32, 12), "letterbox"),
        ((10, 4000), "letterbox"),
        ((4000, 5000), "tile"),
    ],
)
def test_auto_goes_by_proportions_and_size(frame_hw, fit):
    assert choose_fit("auto", frame_hw, SIZE_HW) == fit


def test_what_is_named_is_taken():
    assert [choose_fit(fit, (5, 900), SIZE_HW) for fit in FITS[1:]] == list(FITS[1:])


def test_a_letterboxed_frame_keeps_its_proportions_in_the_middle():
    spec = InputSpec((120, 160), mean=(0.2, 0.4, 0.6))
    frame = np.full((60, 30, 3), 7, np.uint8)
    padded, area = letterbox(frame, spec)
    assert area == Area(0, 50, 120, 60)
    assert (padded[:, 50:110] == 7).all()
    assert (padded[:, :50] == (51, 102, 153)).all()
    assert (padded[:, 110:] == (51, 102, 153)).all()


@pytest.mark.parametrize("size_hw", [(12, 6), (5, 16), (12, 3), (1, 16)])
def test_letterboxed_labels_are_those_of_the_frame(segmenter, size_hw):
    frame = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    result = segmenter.fitted("letterbox").segment(
        segmenter.fitted("letterbox").prepare(frame), with_probabilities=True
    )
    np.testing.assert_array_equal(result.label_map, shade_labels(frame))
    np.testing.assert_array_equal(result.probabilities.argmax(axis=0), shade_labels(frame))


@pytest.mark.parametrize("size_hw", [(12, 16), (30, 50), (5, 90), (101, 7)])
def test_tiled_labels_are_those_of_the_frame_at_its_own_size(segmenter, size_hw):
    frame = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    tiled = segmenter.fitted("tile")
    result = tiled.segment(tiled.prepare(frame), with_probabilities=True)
    np.testing.assert_array_equal(result.label_map, shade_labels(frame))
    assert result.probabilities.shape == (3, *size_hw)


def test_an_exported_file_has_no_native_size_but_its_own(segmenter):
    native = segmenter.fitted("native")
    frame = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    np.testing.assert_array_equal(native(frame).label_map, shade_labels(frame))
    with pytest.raises(SwiftsegError, match=r"does not run at 13x16; .*predict --fit tile"):
        native(np.zeros((13, 16, 3), np.uint8))


def test_unknown_fits_and_smoothed_tiles_are_refused(segmenter):
    with pytest.raises(UsageError, match="unknown fit 'letterbx'; did you mean letterbox"):
        segmenter.fitted("letterbx")
    with pytest.raises(UsageError, match="--fit tile cuts them"):
        segmenter.fitted("tile").smoothed(0.5)
