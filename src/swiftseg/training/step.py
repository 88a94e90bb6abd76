"""What one training step computes, as a module, so that it compiles and distributes as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, UsageError
from swiftseg.layers.training_outputs import TrainingOutputs, training_outputs
from swiftseg.losses.presence import presence_loss
from swiftseg.recipes.recipe import Loss
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.criterion import Criterion
from swiftseg.training.teacher import Teacher

NEEDS_HEADS = "which this network does not have; its option aux_heads builds them, where it has one"


class TrainingStep(nn.Module):
    """Frames and masks to loss."""

    def __init__(
        self,
        network: nn.Module,
        criterion: Criterion,
        loss: Loss,
        input_spec: InputSpec,
        *,
        coarse: bool,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.graph = FrameGraph(network, input_spec, "logits")
        self.criterion = criterion
        self.aux_weight = loss.aux_weight
        self.presence_weight = loss.presence_weight
        self.coarse = coarse
        self.teacher = teacher

    def forward(self, frames: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the loss of frames uint8 (N, H, W, 3) and masks uint8 (N, H, W).

        Returns:
            The weighted sums of the loss's terms and their normalizers, float (T,) each, see
            `Criterion`; and the masks at the logits' size, uint8.
        """
        logits, aux_logits, presence, _ = self.outputs(self.graph.normalized(frames))
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
        """Return the normalizers of masks uint8 (N, H, W) for logits of `size_hw`, float (T,)."""
        if self.coarse:
            masks = shrink_masks(masks, size_hw)
        mask = masks.long()
        terms = [self.criterion.normalizers(mask)]
        if self.presence_weight and not self.coarse:
            terms.append(image_count(mask)[None])
        if self.teacher is not None:
            terms.append(self.teacher.normalizer(mask)[None])
        return torch.cat(terms)

    def outputs(self, image: Tensor) -> TrainingOutputs:
        """Return what the loss asks for of a batch (N, 3, H, W).

        Where coarse logits are trained, they stand in the place of the logits.

        Raises:
            UsageError: The network does not have what the loss asks for.
        """
        found = training_outputs(self.graph.network, image)
        if self.coarse:
            if found.coarse is None:
                raise UsageError("coarse trains coarse logits, which this network does not have")
            return TrainingOutputs(found.coarse)
        if self.presence_weight and found.presence is None:
            raise UsageError(f"loss.presence_weight needs a presence head, {NEEDS_HEADS}")
        if self.aux_weight and not found.aux:
            raise UsageError(f"loss.aux_weight needs auxiliary heads, {NEEDS_HEADS}")
        return TrainingOutputs(
            found.logits,
            found.aux if self.aux_weight else (),
            found.presence if self.presence_weight else None,
        )


def shrink_masks(masks: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Take the nearest label: uint8 (N, H, W) to (N, *size_hw)."""
    return F.interpolate(masks[:, None], size=list(size_hw), mode="nearest-exact")[:, 0]


def image_count(mask: Tensor) -> Tensor:
    """Return the number of images as a float tensor on the mask's device."""
    return torch.full((), float(mask.shape[0]), device=mask.device)
