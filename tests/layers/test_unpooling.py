import pytest
import torch
from torch.nn import functional as F

from swiftseg.layers.unpooling import max_pool_2x2, max_unpool_2x2

SIZES_HW = [(4, 6), (23, 30), (45, 60), (1, 1), (1, 4), (7, 2), (5, 5)]


def tied_features(size_hw: tuple[int, int]) -> torch.Tensor:
    """Few distinct values, so that most blocks hold ties, and some whole blocks of -inf."""
    features = torch.randint(-1, 2, (2, 3, *size_hw)).float()
    return features.masked_fill(features == -1, -torch.inf)


@pytest.mark.parametrize("size_hw", SIZES_HW)
@pytest.mark.parametrize("make", [tied_features, lambda size_hw: torch.randn(2, 3, *size_hw)])
def test_the_round_trip_equals_torchs_own_to_the_bit(size_hw: tuple[int, int], make):
    features = make(size_hw)
    maxima, switches = max_pool_2x2(features)
    expected, indices = F.max_pool2d(features, 2, ceil_mode=True, return_indices=True)
    assert torch.equal(maxima, expected)
    assert torch.equal(switches.sum(dim=2), torch.ones_like(expected, dtype=torch.long))
    values = torch.randn_like(maxima)
    unpooled = max_unpool_2x2(values, switches, size_hw)
    assert torch.equal(unpooled, F.max_unpool2d(values, indices, 2, output_size=list(size_hw)))


@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_the_gradient_equals_torchs_own(size_hw: tuple[int, int]):
    ours = torch.randint(-2, 3, (2, 3, *size_hw)).float().requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    gradient = torch.randn(2, 3, *size_hw)
    maxima, switches = max_pool_2x2(ours)
    max_unpool_2x2(2 * maxima, switches, size_hw).backward(gradient)
    maxima, indices = F.max_pool2d(theirs, 2, ceil_mode=True, return_indices=True)
    F.max_unpool2d(2 * maxima, indices, 2, output_size=list(size_hw)).backward(gradient)
    assert ours.grad is not None
    assert torch.equal(ours.grad, theirs.grad)


def test_without_a_size_blocks_are_whole():
    maxima, switches = max_pool_2x2(torch.randn(1, 2, 4, 6))
    assert max_unpool_2x2(maxima, switches).shape == (1, 2, 4, 6)


def test_switches_of_another_map_are_refused():
    _, switches = max_pool_2x2(torch.randn(1, 2, 4, 6))
    with pytest.raises(ValueError, match="expected switches of shape"):
        max_unpool_2x2(torch.randn(1, 2, 2, 2), switches)


def test_a_size_that_is_not_pooled_to_the_map_is_refused():
    maxima, switches = max_pool_2x2(torch.randn(1, 2, 4, 6))
    with pytest.raises(ValueError, match="a map of 5x6 is not pooled to 2x3"):
        max_unpool_2x2(maxima, switches, (5, 6))
