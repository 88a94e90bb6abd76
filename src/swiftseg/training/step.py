"""What one training step computes, as a module, so that it compiles and distributes as one."""

from collections.abc import Sequence
from typing import Protocol, cast

from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec
from swiftseg.losses import OhemCrossEntropy, WeightedCrossEntropy, presence_loss
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.recipe import Loss

PixelLoss = WeightedCrossEntropy | OhemCrossEntropy


class TrainableNetwork(Protocol):
    """What networks offer to training beside `forward`; each has what its paper has."""

    def forward_coarse(self, image: Tensor) -> Tensor: ...

    def forward_with_aux(self, image: Tensor) -> tuple[Tensor, list[Tensor]]: ...

    def forward_with_heads(self, image: Tensor) -> tuple[Tensor, list[Tensor], Tensor]: ...


class TrainingStep(nn.Module):
    """Frames and masks to loss.

    Args:
        network: Gives logits at the input's size.
        pixel_loss: Gives a sum and its normalizer.
        recipe: The weights of auxiliary heads and of the presence head.
        input_spec: The normalization of the frames.
        coarse: Train `forward_coarse` against the mask at the size of its logits.
    """

    def __init__(
        self,
        network: nn.Module,
        pixel_loss: PixelLoss,
        recipe: Loss,
        input_spec: InputSpec,
        *,
        coarse: bool,
    ) -> None:
        super().__init__()
        self.graph = FrameGraph(network, input_spec, "logits")
        self.pixel_loss = pixel_loss
        self.aux_weight = recipe.aux_weight
        self.presence_weight = recipe.presence_weight
        self.coarse = coarse

    def forward(self, frames: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Takes frames uint8 (N, H, W, 3) and masks uint8 (N, H, W); gives loss and normalizer."""
        logits, aux_logits, presence = self.outputs(self.graph.normalized(frames))
        if self.coarse:
            masks = shrink_masks(masks, logits.shape[-2:])
        mask = masks.long()
        loss_sum, normalizer = self.pixel_loss(logits, mask)
        for aux in aux_logits:
            aux_sum, aux_normalizer = self.pixel_loss(aux, mask)
            loss_sum = loss_sum + self.aux_weight * aux_sum * (normalizer / aux_normalizer)
        if presence is not None:
            presence_term = self.presence_weight * presence_loss(presence, mask)
            loss_sum = loss_sum + presence_term * normalizer
        return loss_sum, normalizer

    def outputs(self, image: Tensor) -> tuple[Tensor, list[Tensor], Tensor | None]:
        """Gives logits, auxiliary logits and presence logits, as far as the loss asks for them."""
        network = cast(TrainableNetwork, self.graph.network)
        if self.coarse:
            return network.forward_coarse(image), [], None
        if self.presence_weight:
            return network.forward_with_heads(image)
        if self.aux_weight:
            return *network.forward_with_aux(image), None
        return self.graph.network(image), [], None


def shrink_masks(masks: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Takes the nearest label: uint8 (N, H, W) to (N, *size_hw)."""
    return F.interpolate(masks[:, None], size=list(size_hw), mode="nearest-exact")[:, 0]
