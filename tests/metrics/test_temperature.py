import numpy as np
import pytest
import torch

from swiftseg.metrics.calibration import fit_temperature

RNG = np.random.default_rng(3)


def softmax(logits):
    return torch.from_numpy(logits).softmax(dim=0).numpy()


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_the_temperature_that_classes_were_drawn_with_is_found(temperature):
    logits = RNG.normal(scale=2, size=(4, 20_000))
    probs = softmax(logits / temperature)
    classes = (probs.cumsum(axis=0) < RNG.random(20_000)).sum(axis=0).clip(max=3)
    assert fit_temperature(softmax(logits), classes) == pytest.approx(temperature, rel=0.05)


def test_certain_and_wrong_is_no_error():
    probs = np.array([[1.0, 1.0], [0.0, 0.0]], np.float32)
    assert np.isfinite(fit_temperature(probs, np.array([0, 1])))
