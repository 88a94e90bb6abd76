"""Which classes are anywhere in the image: the target of ShelfNet's presence head."""

import torch
from torch import Tensor
from torch.nn import functional as F


def presence_loss(presence_logits: Tensor, mask: Tensor) -> Tensor:
    """Return the binary cross entropy of class presence, averaged over images and classes.

    Args:
        presence_logits: float (N, C).
        mask: int64 (N, H, W), values in 0..255; those of C and above are no class.
    """
    targets = presence_targets(mask, presence_logits.shape[1])
    return F.binary_cross_entropy_with_logits(presence_logits.float(), targets)


def presence_targets(mask: Tensor, num_classes: int) -> Tensor:
    """Return which classes occur in each mask (N, H, W), int64: float (N, C) of zeros and ones."""
    present = torch.zeros(mask.shape[0], 256, device=mask.device)
    present.scatter_(1, mask.flatten(1), 1.0)
    return present[:, :num_classes]
