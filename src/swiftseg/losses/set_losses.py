"""The loss of pixels whose label stands for several classes.

Such a pixel's loss is the negative logarithm of the sum of the classes' probabilities: whichever of
them the network believes in, it is right. Cour, Sapp, Taskar, "Learning from partial labels", JMLR
12, 2011, call such labels ambiguous.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.core import LabelSet


def members_of(labels: LabelSet) -> Tensor | None:
    """Return which classes each mask value may be, bool (256, C); None where each is one."""
    return torch.from_numpy(labels.members) if labels.sets else None


def set_losses(logits: Tensor, inside: Tensor) -> Tensor:
    """Return -log of the sum of the probabilities inside a set, float (P, ...).

    As a difference of two logarithms of sums of exponentials, which neither over- nor underflows;
    for a set of one class it is cross entropy.

    Args:
        logits: float (P, C, ...).
        inside: bool (P, C, ...), a class at least for each pixel.
    """
    return logits.logsumexp(1) - logits.masked_fill(~inside, -float("inf")).logsumexp(1)


def pixel_losses(
    logits: Tensor, mask: Tensor, members: Tensor | None, *, ignore_index: int
) -> Tensor:
    """Return the loss of each pixel, float (N, H, W); zero where it is ignored.

    Args:
        logits: float (N, C, H, W).
        mask: int64 (N, H, W).
        members: bool (256, C), which classes each mask value may be; None where each is one.
        ignore_index: The mask value that counts nowhere.
    """
    if members is None:
        return F.cross_entropy(logits, mask, ignore_index=ignore_index, reduction="none")
    if logits.is_cuda:
        return losses_without_waiting(logits, mask, members, ignore_index=ignore_index)
    of_set = is_of_set(mask, members)
    plain = mask.masked_fill(of_set, ignore_index)
    losses = F.cross_entropy(logits, plain, ignore_index=ignore_index, reduction="none")
    pixels = logits.movedim(1, -1)[of_set]  # (P, C)
    return losses.masked_scatter(of_set, set_losses(pixels, members[mask[of_set]]))


def losses_without_waiting(
    logits: Tensor, mask: Tensor, members: Tensor, *, ignore_index: int
) -> Tensor:
    """Return the same as `pixel_losses`, by taking every label for a set.

    To pick the pixels of sets costs less arithmetic, but the host has to wait for their number.
    An ignored pixel may be any class, so that its loss and gradient are zero.
    """
    inside = members[mask] | (mask == ignore_index)[..., None]  # (N, H, W, C)
    return set_losses(logits, inside.movedim(-1, 1))


def is_of_set(mask: Tensor, members: Tensor) -> Tensor:
    """Whether each pixel's label stands for several classes, bool of the mask's shape."""
    return (members.sum(1) > 1)[mask]


def value_weights(class_weights: Tensor, members: Tensor) -> Tensor:
    """Return the weight of each mask value, float (256,): the mean of the classes it may be."""
    counts = members.sum(1)
    return (members.float() @ class_weights) / counts.clamp_min(1)
