"""What one training step computes, as a module, so that it compiles and distributes as one."""

from collections.abc import Sequence
from typing import Protocol, cast

from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec
from swiftseg.losses import WeightedCrossEntropy
from swiftseg.runtimes.torch_backend import FrameGraph


class CoarseNetwork(Protocol):
    """A network that can be trained below the input's size."""

    def forward_coarse(self, image: Tensor) -> Tensor: ...


class TrainingStep(nn.Module):
    """Frames and masks to loss.

    Args:
        network: Gives logits at the input's size.
        loss: Gives a sum and its normalizer.
        input_spec: The normalization of the frames.
        coarse: Train `forward_coarse` against the mask at the size of its logits.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: WeightedCrossEntropy,
        input_spec: InputSpec,
        *,
        coarse: bool,
    ) -> None:
        super().__init__()
        self.graph = FrameGraph(network, input_spec, "logits")
        self.loss = loss
        self.coarse = coarse

    def forward(self, frames: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Takes frames uint8 (N, H, W, 3) and masks uint8 (N, H, W); gives loss and normalizer."""
        if self.coarse:
            network = cast(CoarseNetwork, self.graph.network)
            logits = network.forward_coarse(self.graph.normalized(frames))
            masks = shrink_masks(masks, logits.shape[-2:])
        else:
            logits = self.graph.logits(frames)
        return self.loss(logits, masks.long())


def shrink_masks(masks: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Takes the nearest label: uint8 (N, H, W) to (N, *size_hw)."""
    return F.interpolate(masks[:, None], size=list(size_hw), mode="nearest-exact")[:, 0]

