"""From a recipe's loss and class weights to the module that computes it."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.dice import DiceLoss
from swiftseg.losses.lovasz import LovaszSoftmax
from swiftseg.losses.ohem import OhemCrossEntropy
from swiftseg.losses.set_losses import members_of
from swiftseg.recipes.recipe import ClassWeights, Recipe
from swiftseg.training.frames import TrainingFrames
from swiftseg.training.mask_counts import count_classes

PixelLoss = WeightedCrossEntropy | OhemCrossEntropy | DiceLoss | LovaszSoftmax

# Where the data ignore nothing, this is what an augmentation pads with.
PADDING_INDEX = 255


class Criterion(nn.Module):
    """The losses of a recipe's logits, each as a sum and its normalizer.

    The loss of a batch is the total of sum over normalizer. They are given apart so that devices,
    and parts of a batch, that see different pixels can add both up before they divide; a normalizer
    follows from the masks alone, so that it is known for a whole batch before all of it has been
    through the network. Losses of regions, which need to know the one class of a pixel, leave out
    those of sets.
    """

    def __init__(
        self, terms: Sequence[tuple[float, PixelLoss]], labels: LabelSet | None = None
    ) -> None:
        super().__init__()
        self.set_values = labels.set_values if labels else ()
        self.ignore_index = padding_index(labels) if labels else PADDING_INDEX
        self.weights = [weight for weight, _ in terms]
        self.losses = nn.ModuleList([loss for _, loss in terms])

    def forward(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Compare logits (N, C, H, W) with masks (N, H, W), int64.

        Returns:
            The weighted sums and the normalizers, float (L,) each for L losses.
        """
        terms = [loss(logits, self.seen_by(loss, mask)) for loss in self.losses]
        sums = [weight * term[0] for weight, term in zip(self.weights, terms, strict=True)]
        return torch.stack(sums), torch.stack([term[1] for term in terms])

    def normalizers(self, mask: Tensor) -> Tensor:
        """Return what `forward` would divide by, float (L,)."""
        losses = cast(list[PixelLoss], list(self.losses))
        return torch.stack([loss.normalizer(self.seen_by(loss, mask)) for loss in losses])

    def seen_by(self, loss: nn.Module, mask: Tensor) -> Tensor:
        """Return the mask, without the pixels of sets where a loss needs one class a pixel."""
        if not self.set_values or isinstance(loss, WeightedCrossEntropy | OhemCrossEntropy):
            return mask
        of_set = torch.isin(mask, mask.new_tensor(self.set_values))
        return mask.masked_fill(of_set, self.ignore_index)


def build_pixel_loss(recipe: Recipe, frames: TrainingFrames) -> Criterion:
    """Build the loss; class weights that come from the data are counted over `frames`."""
    labels = frames.dataset.labels
    if labels.sets and recipe.loss.presence_weight:
        raise SwiftsegError(
            f"loss.presence_weight asks which classes an image has, and the label "
            f"{labels.sets[0].name!r} stands for several; leave it out"
        )
    weights = recipe.class_weights and class_weights(recipe.class_weights, frames)
    return Criterion(list(loss_terms(recipe, weights, labels)), labels)


def padding_index(labels: LabelSet) -> int:
    """Return the mask value that is no class, also where the data have none."""
    return PADDING_INDEX if labels.ignore_index is None else labels.ignore_index


def loss_terms(
    recipe: Recipe, weights: Tensor | None, labels: LabelSet
) -> Iterator[tuple[float, PixelLoss]]:
    """Build each loss with its weight, the one that is named first."""
    loss, ignore_index, members = recipe.loss, padding_index(labels), members_of(labels)
    match loss.name:
        case "cross_entropy":
            cross_entropy = WeightedCrossEntropy(
                weights,
                ignore_index=ignore_index,
                normalize=loss.normalize,
                label_smoothing=loss.label_smoothing,
                members=members,
            )
            yield 1.0, cross_entropy
        case "ohem":
            ohem = OhemCrossEntropy(
                weights,
                ignore_index=ignore_index,
                threshold=loss.threshold,
                min_kept=loss.min_kept,
                members=members,
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
    labels = frames.dataset.labels
    num_classes = len(labels)
    counts, where_present = (spread_over_sets(found, labels) for found in count_classes(frames))
    match settings.name:
        case "enet":
            weights = enet_class_weights(counts[:num_classes], int(counts.sum()), c=settings.c)
        case "median_frequency":
            weights = median_frequency_weights(counts[:num_classes], where_present[:num_classes])
        case "effective_number":
            weights = effective_number_weights(counts[:num_classes], beta=settings.beta)
    return torch.from_numpy(weights).float()


def spread_over_sets(counts: np.ndarray, labels: LabelSet) -> np.ndarray:
    """Count a set's pixels in equal parts for its classes: int64 (256,), by mask value."""
    spread = counts.copy()
    for value, of_set in zip(labels.set_values, labels.sets, strict=True):
        spread[list(of_set.classes)] += counts[value] // len(of_set.classes)
        spread[value] = 0
    return spread
