import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.dice import DiceLoss
from swiftseg.losses.lovasz import LovaszSoftmax
from swiftseg.losses.ohem import OhemCrossEntropy
from swiftseg.losses.presence import presence_loss

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


def test_cross_entropy_by_pixels_and_with_smoothing():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(1, 3, 4, 4, generator=generator)
    mask = torch.randint(0, 3, (1, 4, 4), generator=generator)
    mask[0, 0] = 255
    weights = torch.tensor([1.0, 2.0, 5.0])
    loss = WeightedCrossEntropy(weights, ignore_index=255, normalize="pixels")
    loss_sum, normalizer = loss(logits, mask)
    expected = F.cross_entropy(logits, mask, weights, ignore_index=255, reduction="sum") / 12
    torch.testing.assert_close(loss_sum / normalizer, expected)
    smooth = WeightedCrossEntropy(None, ignore_index=255, label_smoothing=0.1)
    loss_sum, normalizer = smooth(logits, mask)
    expected = F.cross_entropy(logits, mask, ignore_index=255, label_smoothing=0.1)
    torch.testing.assert_close(loss_sum / normalizer, expected)


LOSSES = [
    WeightedCrossEntropy(None, ignore_index=255),
    OhemCrossEntropy(None, ignore_index=255, threshold=0.7, min_kept=0.5),
    DiceLoss(ignore_index=255),
    LovaszSoftmax(ignore_index=255),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_void_pixels_have_no_loss_and_no_gradient(loss: nn.Module):
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    mask = torch.full((1, 2, 2), 255)
    mask[0, 0, 0] = 1
    (gradient,) = torch.autograd.grad(loss(logits, mask)[0], logits)
    assert gradient[0, :, 0, 0].any()
    assert not gradient[:, :, mask[0] == 255].any()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_nothing_but_void_is_zero(loss: nn.Module):
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss_sum, normalizer = loss(logits, torch.full((1, 2, 2), 255))
    loss_sum.backward()
    assert (loss_sum.item(), normalizer.item()) == (0.0, 0.0)
    assert logits.grad is not None
    assert not logits.grad.any()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_normalizer_follows_from_the_mask(loss: nn.Module):
    generator = torch.Generator().manual_seed(3)
    mask = torch.randint(0, 3, (2, 4, 4), generator=generator)
    mask[:, 1] = 255
    logits = torch.randn(2, 3, 4, 4, generator=generator)
    assert loss(logits, mask)[1] == loss.normalizer(mask)


def test_ohem_keeps_the_hard_pixels_and_at_least_its_share():
    probability = torch.tensor([0.9, 0.8, 0.6, 0.1])  # of class 1, for four pixels
    logits = torch.stack((1 - probability, probability))[None, :, None].log()
    mask = torch.ones(1, 1, 4, dtype=torch.long)
    hard = OhemCrossEntropy(None, ignore_index=255, threshold=0.7, min_kept=0.25)
    torch.testing.assert_close(mean(hard(logits, mask)), -probability[2:].log().mean())
    most = OhemCrossEntropy(None, ignore_index=255, threshold=0.7, min_kept=0.75)
    torch.testing.assert_close(mean(most(logits, mask)), -probability[1:].log().mean())


def test_ohem_weighs_hard_pixels_as_cross_entropy_does():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(1, 2, 2, 3, generator=generator)
    mask = torch.tensor([[[0, 1, 1], [0, 0, 1]]])
    weights = torch.tensor([1.0, 3.0])
    # With a share of one every pixel is kept.
    loss = OhemCrossEntropy(weights, ignore_index=255, threshold=0.7, min_kept=1.0)
    torch.testing.assert_close(mean(loss(logits, mask)), F.cross_entropy(logits, mask, weights))


def mean(terms: tuple[Tensor, Tensor]) -> Tensor:
    return terms[0] / terms[1]


def test_median_frequency_by_hand():
    # Class 0 fills half of both masks, class 1 a quarter of one, class 2 never occurs.
    weights = median_frequency_weights(np.array([100, 25, 0]), np.array([200, 100, 0]))
    # Frequencies 0.5 and 0.25, median 0.375.
    np.testing.assert_allclose(weights, [0.75, 1.5, 0.0])


def test_effective_number_favors_the_rare_and_averages_one():
    weights = effective_number_weights(np.array([900, 90, 10, 0]))
    assert weights[0] < weights[1] < weights[2]
    assert weights[3] == 0
    assert weights[:3].mean() == pytest.approx(1.0)


def test_presence_equals_torchs_loss_on_classes_found_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    mask = torch.tensor([[[0, 0], [2, 255]]])
    expected = F.binary_cross_entropy_with_logits(logits, torch.tensor([[1.0, 0.0, 1.0]]))
    torch.testing.assert_close(presence_loss(logits, mask), expected)
