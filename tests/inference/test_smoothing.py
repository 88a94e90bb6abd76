import numpy as np
import pytest

from swiftseg.core import UsageError
from swiftseg.inference import Segmenter
from swiftseg.inference.smoothing import SmoothedBackend
from swiftseg.runtimes import BACKENDS, load_backend
from swiftseg.runtimes.base import labels_of, upsampled_of
from tests.support.exported import write_shade_model, write_upsampled_model

SIZE_HW = (4, 6)


@pytest.fixture
def backend(tmp_path):
    return load_backend(write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW), threads=1)


@pytest.fixture
def frames():
    return np.random.default_rng(3).integers(0, 256, (5, *SIZE_HW, 3), dtype=np.uint8)


@pytest.mark.parametrize("smooth", [0.0, 0.4, 0.9])
def test_labels_are_those_of_the_weighted_sum_of_all_logits_so_far(backend, frames, smooth):
    logits = upsampled_of(backend, frames).astype(np.float64)
    smoothing = SmoothedBackend(backend, smooth)
    for last, frame in enumerate(frames):
        weights = (1 - smooth) * smooth ** np.arange(last, -1.0, -1.0)
        weights[0] = smooth**last  # the average begins with the first frame
        expected = np.tensordot(weights, logits[: last + 1], axes=1).argmax(axis=0)
        np.testing.assert_array_equal(labels_of(smoothing, frame[None])[0], expected)


@pytest.mark.parametrize("engine", BACKENDS)
def test_scores_are_averaged_at_the_size_that_the_network_gives(tmp_path, engine):
    path = write_upsampled_model(tmp_path / "m.onnx", (16, 24))
    backend = load_backend(path, name=engine, threads=1)
    coarse = np.random.default_rng(4).integers(0, 256, (3, 2, 2, 3), dtype=np.uint8)
    frames = coarse.repeat(8, axis=1).repeat(12, axis=2)  # large areas, so no label hangs on a ulp
    logits = upsampled_of(backend, frames)
    with backend.running(frames) as scores:
        assert scores.values.shape == (3, 3, 4, 6)
    average = 0.5 * (0.5 * logits[0] + 0.5 * logits[1]) + 0.5 * logits[2]
    smoothing = SmoothedBackend(backend, 0.5)
    labels = [labels_of(smoothing, frame[None])[0] for frame in frames]
    np.testing.assert_array_equal(labels[-1], average.argmax(axis=0))


def test_a_batch_is_frames_that_follow_each_other(backend, frames):
    one_by_one = SmoothedBackend(backend, 0.7)
    expected = np.concatenate([labels_of(one_by_one, frame[None]) for frame in frames])
    np.testing.assert_array_equal(labels_of(SmoothedBackend(backend, 0.7), frames), expected)


def test_the_engines_scores_are_left_alone(backend, frames):
    expected = upsampled_of(backend, frames[:1])
    smoothing = SmoothedBackend(backend, 0.5)
    labels_of(smoothing, frames)
    np.testing.assert_array_equal(upsampled_of(backend, frames[:1]), expected)


def test_every_smoothed_segmenter_begins_anew(backend, frames):
    segmenter = Segmenter(backend)
    first = segmenter.smoothed(0.9)(frames[0]).label_map
    np.testing.assert_array_equal(first, segmenter(frames[0]).label_map)
    again = segmenter.smoothed(0.9)(frames[1]).label_map
    np.testing.assert_array_equal(again, segmenter(frames[1]).label_map)


@pytest.mark.parametrize("smooth", [-0.1, 1.0, 2.0, float("nan")])
def test_what_never_moves_or_is_no_part_is_refused(backend, smooth):
    with pytest.raises(UsageError, match="expected a smoothing from 0"):
        SmoothedBackend(backend, smooth)
