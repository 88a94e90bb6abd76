"""Lovász-softmax: a surrogate of the Jaccard index that can be minimized.

Berman, Rannen Triki, Blaschko, "The Lovász-Softmax loss: a tractable surrogate for the optimization
of the intersection-over-union measure in neural networks", CVPR 2018.
"""

import torch
from torch import Tensor, nn


class LovaszSoftmax(nn.Module):
    """The Lovász-softmax loss, averaged over the classes that an image has.

    Each image has a loss of its own (the paper's per-image variant), so that sums over images can
    be added up over devices and over parts of a batch.
    """

    def __init__(self, *, ignore_index: int) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    # The number of counted pixels and of present classes changes from image to image: compiled, it
    # would be compiled again and again, and sorting gains nothing from it.
    @torch.compiler.disable
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] the decorator's type
        self, logits: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W) with masks (N, H, W), int64; sums over images."""
        counted = mask != self.ignore_index
        total = logits.sum() * 0.0
        for image_logits, image_mask, kept in zip(logits, mask, counted, strict=True):
            truth = image_mask[kept]  # (P,)
            classes = truth.unique()
            if classes.numel():
                probabilities = image_logits.float().softmax(dim=0)[:, kept]  # (C, P)
                is_class = truth == classes[:, None]
                errors = (is_class.float() - probabilities[classes]).abs()
                total = total + lovasz_extension(errors, is_class).mean()
        return total, self.normalizer(mask)

    def normalizer(self, mask: Tensor) -> Tensor:
        """Count the images that have a counted pixel."""
        return (mask != self.ignore_index).flatten(1).any(1).sum().float()


def lovasz_extension(errors: Tensor, truth: Tensor) -> Tensor:
    """Extend the Jaccard loss from sets of wrong pixels to errors in 0..1 (equations 6 to 9).

    For the set M of the k pixels of largest error, the Jaccard loss of a class of pixels Y is
    |M| / |Y united with M|; each pixel's error counts by what its joining M adds to that.

    Args:
        errors: float (C, P).
        truth: bool (C, P), the pixels that are of each class.

    Returns:
        float (C,).
    """
    errors, order = errors.sort(dim=1, descending=True)
    others = (~truth.gather(1, order)).cumsum(1)  # pixels of M outside Y
    union = truth.sum(1, keepdim=True) + others
    wrong = torch.arange(1, errors.shape[1] + 1, device=errors.device)
    jaccard = wrong / union
    gains = jaccard.diff(dim=1, prepend=jaccard.new_zeros(len(jaccard), 1))
    return (errors * gains).sum(1)
