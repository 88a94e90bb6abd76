"""Cross entropy of the hard pixels (online hard example mining)."""

import math

from torch import Tensor, nn

from swiftseg.losses.set_losses import pixel_losses, value_weights


class OhemCrossEntropy(nn.Module):
    """Count the pixels whose true class is predicted with less than `threshold`.

    Where these are fewer than the share `min_kept` of the counted pixels, the hardest of that
    share count. Shrivastava, Gupta, Girshick, "Training region-based object detectors with online
    hard example mining", CVPR 2016, as ShelfNet's lightweight release uses it for pixels.

    Hard pixels are chosen among those that are seen at once. Over devices and parts of a batch, the
    means of the hard pixels are averaged by the number of counted pixels of each.

    Args:
        class_weights: float (C,), or None for equal weights.
        ignore_index: The mask value that counts nowhere.
        threshold: A probability.
        min_kept: A share, 0..1.
        members: bool (256, C), which classes each mask value may be, see `losses.set_losses`; None
            where each is one.
    """

    class_weights: Tensor | None
    members: Tensor | None

    def __init__(
        self,
        class_weights: Tensor | None,
        *,
        ignore_index: int,
        threshold: float,
        min_kept: float,
        members: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.register_buffer("members", members, persistent=False)
        self.ignore_index = ignore_index
        self.loss_threshold = -math.log(threshold)
        self.min_kept = min_kept

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W) with masks (N, H, W), int64.

        Returns:
            The hard pixels' mean times the number of counted pixels, and that number.
        """
        counted = mask != self.ignore_index
        losses = pixel_losses(logits.float(), mask, self.members, ignore_index=self.ignore_index)[
            counted
        ]
        if not losses.numel():
            return logits.sum() * 0, self.normalizer(mask)
        hardest, order = losses.sort(descending=True)
        fewest = max(1, int(self.min_kept * losses.numel()))
        kept = max(fewest, int((hardest > self.loss_threshold).sum()))
        mean = hardest[:kept].mean()
        if self.class_weights is not None:
            weights = self.class_weights
            if self.members is not None:
                weights = value_weights(weights, self.members)
            weights = weights[mask[counted][order[:kept]]]
            # All hard pixels may be of classes that weigh nothing.
            mean = (hardest[:kept] * weights).sum() / weights.sum().clamp_min(1e-12)
        return mean * losses.numel(), self.normalizer(mask)

    def normalizer(self, mask: Tensor) -> Tensor:
        """Count the pixels that are not ignored."""
        return (mask != self.ignore_index).sum().float()
