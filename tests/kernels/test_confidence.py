import numpy as np
import pytest
import torch

from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.kernels.confidence import confidence, unsure_pixels

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_it_is_the_largest_probability_of_divided_logits(temperature):
    logits = torch.from_numpy(RNG.normal(scale=3, size=(5, 6, 7)).astype(np.float32))
    expected = (logits / temperature).softmax(dim=0).amax(dim=0)
    found = confidence(logits.softmax(dim=0).numpy(), temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("align_corners", [True, False, None])
@pytest.mark.parametrize("below", [0.5, 0.7, 0.95, 1.0])
def test_unsure_pixels_are_those_of_a_softmax_at_full_size(align_corners, below):
    blocks = RNG.normal(scale=6, size=(2, 5, 4, 5)).repeat(4, axis=2).repeat(4, axis=3)
    logits = torch.from_numpy(blocks + RNG.normal(scale=0.3, size=blocks.shape)).float()
    size_hw = (16, 20) if align_corners is None else (61, 43)
    upsampled = logits.double()
    if align_corners is not None:
        upsampled = torch.nn.functional.interpolate(
            upsampled, size_hw, mode="bilinear", align_corners=align_corners
        )
    probs = (upsampled / 1.4).softmax(dim=1).amax(dim=1).numpy()
    found = unsure_pixels(logits.numpy(), size_hw, below, 1.4, align_corners=align_corners)
    decided = np.abs(probs - below) > 1e-5  # nearer ones are a matter of rounding
    np.testing.assert_array_equal(found[decided], (probs < below)[decided])
    assert found.any()


@pytest.mark.parametrize("model", ["enet-camvid", "fast_scnn-camvid"])
def test_voids_of_frames_are_those_of_their_probabilities(model):
    frames = [sample.image for sample in ToyStreet("test", 2, (180, 240))]
    segmenter = Segmenter.load(model, fit="stretch", void_below=0.8)
    for frame in frames:
        prepared = segmenter.prepare(frame)
        found = segmenter.network_labels(prepared, with_probabilities=True)
        sure = confidence(found.probabilities, segmenter.spec.temperature)
        decided = np.abs(sure - 0.8) > 1e-5
        is_void = found.labels == segmenter.spec.labels.void
        np.testing.assert_array_equal(is_void[decided], (sure < 0.8)[decided])
        assert 0 < is_void.mean() < 1
