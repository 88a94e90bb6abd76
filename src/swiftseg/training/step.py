"""What one training step computes, as a module, so that it compiles and distributes as one."""

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec
from swiftseg.losses.presence import presence_loss
from swiftseg.recipes.recipe import Loss
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.criterion import Criterion
from swiftseg.training.distillation import Teacher


class TrainableNetwork(Protocol):
    """What networks offer to training beside `forward`; each has what its paper has."""

    def forward_coarse(self, image: Tensor) -> Tensor: ...

    def forward_with_aux(self, image: Tensor) -> tuple[Tensor, list[Tensor]]: ...

    def forward_with_heads(self, image: Tensor) -> tuple[Tensor, list[Tensor], Tensor]: ...


class TrainingStep(nn.Module):
    """Frames and masks to loss.

    Args:
        network: Gives logits at the input's size.
        criterion: Gives sums and their normalizers.
        recipe: The weights of auxiliary heads and of the presence head.
        input_spec: The normalization of the frames.
        coarse: Train `forward_coarse` against the mask at the size of its logits.
        teacher: What the network learns from beside the masks.
    """

    def __init__(
        self,
        network: nn.Module,
        criterion: Criterion,
        recipe: Loss,
        input_spec: InputSpec,
        *,
        coarse: bool,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.graph = FrameGraph(network, input_spec, "logits")
        self.criterion = criterion
        self.aux_weight = recipe.aux_weight
        self.presence_weight = recipe.presence_weight
        self.coarse = coarse
        self.teacher = teacher

    def forward(self, frames: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Takes frames uint8 (N, H, W, 3) and masks uint8 (N, H, W).

        Returns:
            The weighted sums of the loss's terms and their normalizers, float (T,) each, see
            `Criterion`; and the masks at the logits' size, uint8.
        """
        logits, aux_logits, presence = self.outputs(self.graph.normalized(frames))
        if self.coarse:
            masks = shrink_masks(masks, logits.shape[-2:])
        mask = masks.long()
        sums, normalizers = self.criterion(logits, mask)
        for aux in aux_logits:
            sums = sums + self.aux_weight * self.criterion(aux, mask)[0]
        terms: list[tuple[Tensor, Tensor]] = []
        if presence is not None:
            images = image_count(mask)
            terms.append((self.presence_weight * images * presence_loss(presence, mask), images))
        if self.teacher is not None:
            terms.append(self.teacher(frames, logits, mask))
        if terms:
            sums = torch.cat((sums, torch.stack([term[0] for term in terms])))
            normalizers = torch.cat((normalizers, torch.stack([term[1] for term in terms])))
        return sums, normalizers, masks

    def normalizers(self, masks: Tensor, size_hw: Sequence[int]) -> Tensor:
        """Gives the normalizers of masks uint8 (N, H, W) for logits of `size_hw`, float (T,)."""
        if self.coarse:
            masks = shrink_masks(masks, size_hw)
        mask = masks.long()
        terms = [self.criterion.normalizers(mask)]
        if self.presence_weight and not self.coarse:
            terms.append(image_count(mask)[None])
        if self.teacher is not None:
            terms.append(self.teacher.normalizer(mask)[None])
        return torch.cat(terms)

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


def image_count(mask: Tensor) -> Tensor:
    return torch.full((), float(mask.shape[0]), device=mask.device)
