import numpy as np
import pytest

from swiftseg.metrics import MeanIoUBootstrap, scores


def matrices(count: int, seed: int = 0) -> np.ndarray:
    """Frames whose quality differs, and where the third class is rare."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 60, (count, 3, 3))
    frames[:, range(3), range(3)] += rng.integers(0, 400, (count, 3))
    frames[:, 2] = np.where(rng.random((count, 1)) < 0.3, frames[:, 2], 0)
    return frames


def interval_of(frames: np.ndarray, seed: int = 0) -> tuple[float, float]:
    bootstrap = MeanIoUBootstrap(3, seed)
    for matrix in frames:
        bootstrap.add(matrix)
    interval = bootstrap.interval()
    assert interval is not None
    return interval


def test_it_is_the_interval_of_drawing_frames_with_replacement():
    frames = matrices(80)
    rng = np.random.default_rng(9)
    draws = rng.integers(0, len(frames), (4000, len(frames)))
    means = [scores(frames[draw].sum(axis=0)).mean_iou for draw in draws]
    low, high = np.quantile(means, [0.025, 0.975])
    # The bounds of 1,000 replicates scatter by about a twentieth of the width themselves.
    np.testing.assert_allclose(interval_of(frames), (low, high), atol=0.15 * (high - low))


def test_the_interval_holds_the_mean_and_narrows_with_frames():
    widths: list[float] = []
    for count in (25, 400):
        frames = matrices(count)
        low, high = interval_of(frames)
        assert low < scores(frames.sum(axis=0)).mean_iou < high
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]  # a quarter, but for chance


def test_equal_frames_leave_no_doubt():
    frames = np.repeat(matrices(1)[:1], 30, axis=0)
    mean = scores(frames[0]).mean_iou
    assert interval_of(frames) == pytest.approx((mean, mean))


def test_it_can_be_repeated():
    assert interval_of(matrices(10)) == interval_of(matrices(10))
    assert interval_of(matrices(10)) != interval_of(matrices(10), seed=1)


def test_one_frame_and_frames_of_void_have_none():
    bootstrap = MeanIoUBootstrap(3)
    bootstrap.add(matrices(1)[0])
    assert bootstrap.interval() is None
    bootstrap = MeanIoUBootstrap(3)
    for _ in range(3):
        bootstrap.add(np.zeros((3, 3), np.int64))
    assert bootstrap.interval() is None
