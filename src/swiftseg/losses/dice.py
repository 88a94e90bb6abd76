"""Dice loss: one less the overlap of what is predicted and what is true."""

import torch
from torch import Tensor, nn


class DiceLoss(nn.Module):
    """The soft Dice loss, averaged over the classes that an image has.

    A class's overlap is 2 sum(p g) / (sum(p) + sum(g)) over the counted pixels of an image, p being
    its probabilities and g the truth, 0 or 1: Milletari, Navab, Ahmadi, "V-Net", 3DV 2016, without
    the squares in the denominator. Each image has a loss of its own, so that sums over images can
    be added up over devices and over parts of a batch.
    """

    def __init__(self, *, ignore_index: int) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W) with masks (N, H, W), int64; sums over images."""
        counted = (mask != self.ignore_index)[:, None]  # (N, 1, H, W)
        classes = torch.arange(logits.shape[1], device=mask.device).view(1, -1, 1, 1)
        truth = mask[:, None] == classes  # (N, C, H, W)
        probabilities = logits.float().softmax(dim=1)
        overlap = torch.where(truth, probabilities, 0).sum((2, 3))  # (N, C)
        true_pixels = truth.sum((2, 3))
        sizes = torch.where(counted, probabilities, 0).sum((2, 3)) + true_pixels
        present = true_pixels > 0
        # Where a class is present its sizes are above one.
        losses = torch.where(present, 1 - 2 * overlap / sizes.clamp_min(1), 0)
        by_image = losses.sum(1) / present.sum(1).clamp_min(1)
        return by_image.sum(), self.normalizer(mask)

    def normalizer(self, mask: Tensor) -> Tensor:
        """Count the images that have a counted pixel."""
        return (mask != self.ignore_index).flatten(1).any(1).sum().float()
