"""Cross entropy over pixels, in the two parts that several devices need."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
    """

    class_weights: Tensor | None

    def __init__(
        self,
        class_weights: Tensor | None,
        *,
        ignore_index: int,
        normalize: Literal["weights", "pixels"] = "weights",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.ignore_index = ignore_index
        self.normalize = normalize
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W), float, with masks (N, H, W), int64."""
        loss_sum = F.cross_entropy(
            logits.float(),
            mask,
            weight=self.class_weights,
            ignore_index=self.ignore_index,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        return loss_sum, self.normalizer(mask)

    def normalizer(self, mask: Tensor) -> Tensor:
        """Return the sum of all counted pixels' weights, or their number."""
        counted = mask != self.ignore_index
        if self.class_weights is None or self.normalize == "pixels":
            return counted.sum().float()
        weights = self.class_weights[torch.where(counted, mask, 0)]
        return torch.where(counted, weights, 0.0).sum()
