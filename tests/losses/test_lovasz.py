from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from swiftseg.losses.lovasz import LovaszSoftmax

IGNORE = 255


def jaccard_loss(wrong: np.ndarray, truth: np.ndarray) -> float:
    """One less the Jaccard index of a class, given the wrong pixels (equation 6 of the paper)."""
    either = wrong | truth
    return wrong.sum() / either.sum() if either.any() else 0.0


def choquet_integral(errors: np.ndarray, truth: np.ndarray) -> float:
    """The Lovasz extension as the mean of the set function over all thresholds in 0..1.

    The set of the pixels whose error is above a threshold changes at the errors alone.
    """
    thresholds = np.unique(np.concatenate(([0.0], errors, [1.0])))
    return sum(
        (high - low) * jaccard_loss(errors > low, truth) for low, high in pairwise(thresholds)
    )


def expected_loss(logits: torch.Tensor, mask: torch.Tensor) -> float:
    """The mean over images of the mean over their classes, from the set function alone."""
    by_image: list[float] = []
    for probabilities, truth in zip(logits.softmax(1).numpy(), mask.numpy(), strict=True):
        counted = truth != IGNORE
        by_class = [
            choquet_integral(
                np.where(truth == c, 1 - probabilities[c], probabilities[c])[counted],
                (truth == c)[counted],
            )
            for c in np.unique(truth[counted])
        ]
        if by_class:
            by_image.append(float(np.mean(by_class)))
    return float(np.mean(by_image))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_extension_of_the_jaccard_loss(seed: int):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(3, 4, 5, 6, generator=generator)
    mask = torch.randint(0, 4, (3, 5, 6), generator=generator)
    mask[:, 2] = IGNORE
    mask[1] = 3  # one class alone
    mask[2] = IGNORE  # an image without a counted pixel
    loss_sum, images = LovaszSoftmax(ignore_index=IGNORE)(logits, mask)
    assert float(images) == 2
    assert float((loss_sum / images).detach()) == pytest.approx(
        expected_loss(logits, mask), abs=1e-6
    )


def test_of_certain_predictions_it_is_one_less_the_mean_iou_of_the_classes_in_the_image():
    mask = torch.tensor([[[0, 0, 1, 1, IGNORE]]])
    label_map = torch.tensor([[[0, 1, 1, 2, 0]]])
    logits = 1e4 * F.one_hot(label_map, 3).permute(0, 3, 1, 2).float()
    loss_sum, _ = LovaszSoftmax(ignore_index=IGNORE)(logits, mask)
    # Class 0: 1 of 2 pixels; class 1: 1 of 3.
    assert float(loss_sum.detach()) == pytest.approx(1 - (1 / 2 + 1 / 3) / 2)


def test_the_gradient_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(7)
    logits = torch.randn(1, 3, 3, 3, generator=generator)
    mask = torch.randint(0, 3, (1, 3, 3), generator=generator)
    logits.requires_grad_(requires_grad=True)
    loss_sum, _ = LovaszSoftmax(ignore_index=IGNORE)(logits, mask)
    (gradient,) = torch.autograd.grad(loss_sum, logits)
    step = 1e-3
    for index in [(0, 0, 0, 0), (0, 1, 2, 1), (0, 2, 1, 2)]:
        above, below = logits.detach().double().clone(), logits.detach().double().clone()
        above[index] += step
        below[index] -= step
        slope = (expected_loss(above, mask) - expected_loss(below, mask)) / (2 * step)
        assert float(gradient[index]) == pytest.approx(slope, abs=1e-4)
