"""From a recipe's loss and class weights to the module that computes it."""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from swiftseg.core import LabelSet
from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.dice import DiceLoss
from swiftseg.losses.lovasz import LovaszSoftmax
from swiftseg.losses.ohem import OhemCrossEntropy
from swiftseg.recipes.recipe import ClassWeights, Recipe
from swiftseg.training.class_counts import count_classes
from swiftseg.training.frames import TrainingFrames

PixelLoss = WeightedCrossEntropy | OhemCrossEntropy | DiceLoss | LovaszSoftmax

# Where the data ignore nothing, this is what an augmentation pads with.
PADDING_INDEX = 255


class Criterion(nn.Module):
    """The losses of a recipe's logits, each as a sum and its normalizer.

    The loss of a batch is the total of sum over normalizer. They are given apart so that devices,
    and parts of a batch, that see different pixels can add both up before they divide; a normalizer
    follows from the masks alone, so that it is known for a whole batch before all of it has been
    through the network.

    Args:
        terms: Each loss with its weight.
    """

    def __init__(self, terms: Sequence[tuple[float, PixelLoss]]) -> None:
        super().__init__()
        self.weights = [weight for weight, _ in terms]
        self.losses = nn.ModuleList([loss for _, loss in terms])

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W) with masks (N, H, W), int64.

        Returns:
            The weighted sums and the normalizers, float (L,) each for L losses.
        """
        terms = [loss(logits, mask) for loss in self.losses]
        sums = [weight * term[0] for weight, term in zip(self.weights, terms, strict=True)]
        return torch.stack(sums), torch.stack([term[1] for term in terms])

    def normalizers(self, mask: Tensor) -> Tensor:
        """Return what `forward` would divide by, float (L,)."""
        losses = cast(list[PixelLoss], list(self.losses))
        return torch.stack([loss.normalizer(mask) for loss in losses])


def build_pixel_loss(recipe: Recipe, frames: TrainingFrames) -> Criterion:
    """Build the loss; class weights that come from the data are counted over `frames`."""
    weights = recipe.class_weights and class_weights(recipe.class_weights, frames)
    ignore_index = padding_index(frames.dataset.labels)
    return Criterion(list(loss_terms(recipe, weights, ignore_index)))


def padding_index(labels: LabelSet) -> int:
    """Return the mask value that is no class, also where the data have none."""
    return PADDING_INDEX if labels.ignore_index is None else labels.ignore_index


def loss_terms(
    recipe: Recipe, weights: Tensor | None, ignore_index: int
) -> Iterator[tuple[float, PixelLoss]]:
    """Build each loss with its weight, the one that is named first."""
    loss = recipe.loss
    match loss.name:
        case "cross_entropy":
            cross_entropy = WeightedCrossEntropy(
                weights,
                ignore_index=ignore_index,
                normalize=loss.normalize,
                label_smoothing=loss.label_smoothing,
            )
            yield 1.0, cross_entropy
        case "ohem":
            ohem = OhemCrossEntropy(
                weights, ignore_index=ignore_index, threshold=loss.threshold, min_kept=loss.min_kept
            )
            yield 1.0, ohem
        case "dice":
            yield 1.0, DiceLoss(ignore_index=ignore_index)
        case "lovasz":
            yield 1.0, LovaszSoftmax(ignore_index=ignore_index)
    if loss.dice_weight:
        yield loss.dice_weight, DiceLoss(ignore_index=ignore_index)
    if loss.lovasz_weight:
        yield loss.lovasz_weight, LovaszSoftmax(ignore_index=ignore_index)


def class_weights(settings: ClassWeights, frames: TrainingFrames) -> Tensor:
    """Return the weights of the classes, float (C,)."""
    if settings.name == "constant":
        return torch.tensor(settings.values)
    num_classes = len(frames.dataset.labels)
    counts, where_present = count_classes(frames)
    match settings.name:
        case "enet":
            weights = enet_class_weights(counts[:num_classes], int(counts.sum()), c=settings.c)
        case "median_frequency":
            weights = median_frequency_weights(counts[:num_classes], where_present[:num_classes])
        case "effective_number":
            weights = effective_number_weights(counts[:num_classes], beta=settings.beta)
    return torch.from_numpy(weights).float()
