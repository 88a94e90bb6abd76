"""Cross entropy over pixels, in the two parts that several devices need."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.losses.set_losses import pixel_losses, value_weights


class WeightedCrossEntropy(nn.Module):
    """Class-weighted cross entropy as a sum and its normalizer.

    Sum over normalizer is torch's `cross_entropy(..., reduction="mean")`. They are given apart so
    that devices that see different pixels can add both up before they divide.

    Args:
        class_weights: float (C,), or None for equal weights.
        ignore_index: The mask value that counts nowhere; it may lie outside 0..C-1.
        normalize: Divide by the sum of the pixels' `weights` (torch's mean), or by the number of
            `pixels`, as Caffe does.
        label_smoothing: The share of a target that is spread over all classes.
        members: bool (256, C), which classes each mask value may be, see `losses.set_losses`; None
            where each is one. A pixel of several classes weighs as much as their mean.
    """

    class_weights: Tensor | None
    members: Tensor | None

    def __init__(
        self,
        class_weights: Tensor | None,
        *,
        ignore_index: int,
        normalize: Literal["weights", "pixels"] = "weights",
        label_smoothing: float = 0.0,
        members: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.register_buffer("members", members, persistent=False)
        self.ignore_index = ignore_index
        self.normalize = normalize
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W), float, with masks (N, H, W), int64."""
        if self.members is not None:
            return self._sum_with_sets(logits.float(), mask), self.normalizer(mask)
        loss_sum = F.cross_entropy(
            logits.float(),
            mask,
            weight=self.class_weights,
            ignore_index=self.ignore_index,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        return loss_sum, self.normalizer(mask)

    def _sum_with_sets(self, logits: Tensor, mask: Tensor) -> Tensor:
        losses = pixel_losses(logits, mask, self.members, ignore_index=self.ignore_index)
        if self.class_weights is not None:
            losses = losses * self._pixel_weights(mask)
        if not self.label_smoothing:
            return losses.sum()
        # As torch smooths: each class takes an equal part of the target, with its own weight.
        by_class = F.log_softmax(logits, dim=1).movedim(1, -1)[mask != self.ignore_index]  # (P, C)
        if self.class_weights is not None:
            by_class = by_class * self.class_weights
        spread = -by_class.sum() / logits.shape[1]
        return (1 - self.label_smoothing) * losses.sum() + self.label_smoothing * spread

    def normalizer(self, mask: Tensor) -> Tensor:
        """Return the sum of all counted pixels' weights, or their number."""
        if self.class_weights is None or self.normalize == "pixels":
            return (mask != self.ignore_index).sum().float()
        return self._pixel_weights(mask).sum()

    def _pixel_weights(self, mask: Tensor) -> Tensor:
        """Return the weight of each pixel, float of the mask's shape; zero where it is ignored."""
        assert self.class_weights is not None
        counted = mask != self.ignore_index
        weights = self.class_weights
        if self.members is not None:
            weights = value_weights(weights, self.members)
        return torch.where(counted, weights[torch.where(counted, mask, 0)], 0.0)
