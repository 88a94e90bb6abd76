import numpy as np
import pytest
import torch
from torch.nn import functional as F

from swiftseg.losses import WeightedCrossEntropy, enet_class_weights

# Pixels by class over the 367 training masks of CamVid at 480x360, and all of their pixels.
CAMVID_COUNTS = [
    10682767, 14750079, 623349, 20076880, 2845085, 6166762, 743859, 714595, 3719877, 405385, 184967,
]  # fmt: skip
CAMVID_PIXELS = 63417600
CAMVID_WEIGHTS = [
    5.7920, 4.4403, 34.0217, 3.4469, 15.9119, 9.0202, 32.0138, 32.4789, 13.2071, 38.3877, 44.1345,
]  # fmt: skip


def test_enet_weights_of_camvid():
    weights = enet_class_weights(np.array(CAMVID_COUNTS), CAMVID_PIXELS)
    np.testing.assert_allclose(weights, CAMVID_WEIGHTS, atol=5e-5)


def test_enet_weights_stay_within_their_bounds():
    weights = enet_class_weights(np.array([0, 1, 10**9]), 10**9)
    assert weights.min() >= 1.42
    assert weights.max() <= 50.5


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("ignore_index", [255, 4, -100])
def test_cross_entropy_equals_torch(weighted: bool, ignore_index: int):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 7, generator=generator)
    mask = torch.randint(0, 4, (2, 5, 7), generator=generator)
    if ignore_index >= 0:
        mask[:, 2] = ignore_index
    weights = torch.rand(4, generator=generator) if weighted else None
    loss_sum, normalizer = WeightedCrossEntropy(weights, ignore_index=ignore_index)(logits, mask)
    expected = F.cross_entropy(logits, mask, weight=weights, ignore_index=ignore_index)
    torch.testing.assert_close(loss_sum / normalizer, expected)
