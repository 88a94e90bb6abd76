"""From a recipe's loss and class weights to the module that computes it."""

import numpy as np
import torch
from torch import Tensor

from swiftseg.losses import (
    OhemCrossEntropy,
    WeightedCrossEntropy,
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)
from swiftseg.training.frames import TrainingFrames
from swiftseg.training.recipe import ClassWeights, Recipe
from swiftseg.training.step import PixelLoss

# Where the data ignore nothing, this is what an augmentation pads with.
PADDING_INDEX = 255


def build_pixel_loss(recipe: Recipe, frames: TrainingFrames) -> PixelLoss:
    """Builds the loss; class weights that come from the data are counted over `frames`."""
    weights = recipe.class_weights and class_weights(recipe.class_weights, frames)
    ignore_index = frames.dataset.labels.ignore_index
    ignore_index = PADDING_INDEX if ignore_index is None else ignore_index
    loss = recipe.loss
    if loss.name == "ohem":
        return OhemCrossEntropy(
            weights, ignore_index=ignore_index, threshold=loss.threshold, min_kept=loss.min_kept
        )
    return WeightedCrossEntropy(
        weights,
        ignore_index=ignore_index,
        normalize=loss.normalize,
        label_smoothing=loss.label_smoothing,
    )


def class_weights(recipe: ClassWeights, frames: TrainingFrames) -> Tensor:
    """Gives the weights of the classes, float (C,)."""
    if recipe.name == "constant":
        return torch.tensor(recipe.values)
    num_classes = len(frames.dataset.labels)
    counts, where_present = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for in_mask in frames.mask_counts():
        counts += in_mask
        where_present += np.where(in_mask > 0, in_mask.sum(), 0)
    match recipe.name:
        case "enet":
            weights = enet_class_weights(counts[:num_classes], int(counts.sum()), c=recipe.c)
        case "median_frequency":
            weights = median_frequency_weights(counts[:num_classes], where_present[:num_classes])
        case "effective_number":
            weights = effective_number_weights(counts[:num_classes], beta=recipe.beta)
    return torch.from_numpy(weights).float()
