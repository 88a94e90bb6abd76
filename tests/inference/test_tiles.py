import numpy as np
import pytest

from swiftseg.inference.tiles import (
    probability_bands,
    sliding_probabilities,
    window_starts,
)

GRAY = np.full(3, 128, np.uint8)


@pytest.mark.parametrize("window", [1, 2, 3, 30, 224])
@pytest.mark.parametrize("extra", [0, 1, 7, 150, 1000])
def test_windows_cover_a_side_two_thirds_apart_and_end_at_its_end(window, extra):
    starts = window_starts(window + extra, window)
    assert starts[0] == 0
    assert starts[-1] == extra
    gaps = np.diff(starts)
    assert (gaps >= 1).all()
    assert (gaps <= np.ceil(2 * window / 3)).all()


def channels(window: np.ndarray) -> np.ndarray:
    """A network that looks at each pixel alone: three classes, as red, green and blue as it is."""
    return np.moveaxis(window, -1, 0).astype(np.float32)


@pytest.mark.parametrize("size_hw", [(20, 30), (21, 47), (9, 30), (5, 4), (64, 31)])
def test_what_looks_at_single_pixels_sees_the_whole_frame(size_hw):
    frame = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    probs = sliding_probabilities(channels, frame, (20, 30), GRAY)
    np.testing.assert_allclose(probs, channels(frame), rtol=1e-6)


def test_overlaps_are_averaged_and_padding_has_its_color():
    seen: list[np.ndarray] = []

    def number(window: np.ndarray) -> np.ndarray:
        seen.append(window)
        return np.full((1, 2, 6), len(seen), np.float32)

    probs = sliding_probabilities(number, np.zeros((1, 10, 3), np.uint8), (2, 6), GRAY)
    assert probs[0].tolist() == [[1, 1, 1, 1, 1.5, 1.5, 2, 2, 2, 2]]  # windows at 0 and 4
    assert (seen[0][0] == 0).all()
    assert (seen[0][1] == 128).all()


def test_an_overlap_may_be_asked_for():
    assert window_starts(100, 40, 0) == [0, 40, 60]
    assert window_starts(100, 40, 30) == [0, 10, 20, 30, 40, 50, 60]


def test_memory_does_not_grow_with_the_height():
    rows: list[int] = []
    frame = np.zeros((1000, 30, 3), np.uint8)
    for band in probability_bands(channels, frame, (20, 30), GRAY):
        assert band.shape[1] <= 20
        rows.append(band.shape[1])
    assert sum(rows) == 1000
