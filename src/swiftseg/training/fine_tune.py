"""A recipe for whatever data there are: classes, sizes and length come from the data."""

import math
from typing import Any

import numpy as np
import yaml

from swiftseg.core import InputSpec, SwiftsegError, unknown_name
from swiftseg.core.spec import RGB_BANDS
from swiftseg.data import Dataset
from swiftseg.models import NETWORKS
from swiftseg.recipes.recipe import Recipe
from swiftseg.recipes.recipe_file import parse_recipe
from swiftseg.training.band_statistics import band_statistics
from swiftseg.training.spread_samples import spread_samples

# ImageNet's, which most published weights were trained with.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

MAX_PIXELS = 512 * 512
STRIDE = 32  # of the deepest network: sizes that it divides waste nothing at the borders
SIZES_LOOKED_AT = 20
MAX_BATCH = 8
TARGET_STEPS = 2000
EPOCHS = (10, 400)
VALIDATIONS = 20

GEOMETRY: dict[str, Any] = {"scale": [0.75, 1.5], "horizontal_flip": 0.5}
AUGMENTATION: dict[str, Any] = {
    **GEOMETRY,
    "brightness": 0.2,
    "contrast": 0.2,
    "saturation": 0.2,
}
# The norm is clipped since networks without batch normalization are among these.
OPTIMIZER: dict[str, Any] = {
    "name": "adamw",
    "lr": 2e-3,
    "weight_decay": 1e-2,
    "no_decay": ["norm", "bias"],
    "max_gradient_norm": 1.0,
}


def fine_tuning_recipe(
    network: str,
    train_set: Dataset,
    *,
    name: str,
    source: str,
    learned_with: InputSpec | None = None,
    overrides: tuple[str, ...] = (),
) -> Recipe:
    """Make a recipe for a network on some data.

    AdamW in one cycle, ENet's class weights, frames scaled, flipped and varied in color, averaged
    weights; about `TARGET_STEPS` steps, within 10 to 400 epochs.

    Args:
        network: One of `NETWORKS`.
        train_set: The training data.
        name: The model's name.
        source: Where the data come from, in words.
        learned_with: The input of the weights that the training starts from, whose mean and
            deviation are kept for the same bands. Else those of RGB are ImageNet's, and those
            of other bands are counted.
        overrides: As for `load_recipe`.

    Raises:
        UsageError: There is no such network, or an override is wrong.
        SwiftsegError: There are fewer than two training images.
    """
    if network not in NETWORKS:
        raise unknown_name("network", network, NETWORKS)
    if len(train_set) < 2:
        raise SwiftsegError(
            f"{source}: {len(train_set)} training image; training needs 2 or more, and 1 for val"
        )
    batch_size = min(MAX_BATCH, len(train_set))
    steps_per_epoch = len(train_set) // batch_size
    epochs = min(max(math.ceil(TARGET_STEPS / steps_per_epoch), EPOCHS[0]), EPOCHS[1])
    fields: dict[str, Any] = {
        "name": name,
        "training_data": f"{source}, {len(train_set)} images",
        "license_note": "Learned from the user's own data; what binds the data may bind them.",
        "num_classes": len(train_set.labels),
        "input": input_fields(train_set, learned_with),
        "augmentation": AUGMENTATION if has_colors(train_set) else GEOMETRY,
        "batch_size": batch_size,
        "class_weights": {"name": "enet"},
        "optimizer": OPTIMIZER,
    }

    def make(epochs: int) -> Recipe:
        schedule = {"name": "one_cycle", "warmup": 0.2}
        length: dict[str, Any] = {
            "ema": averaging_decay(epochs * steps_per_epoch),
            "validate_every": math.ceil(epochs / VALIDATIONS),
            "stages": [
                {"name": "full", "network": network, "epochs": epochs, "schedule": schedule}
            ],
        }
        text = yaml.safe_dump(fields | length)
        return parse_recipe(text, origin=network, overrides=overrides)

    recipe = make(epochs)
    asked = recipe.stages[0].epochs  # what follows from the number of epochs follows from this one
    return recipe if asked == epochs else make(asked)


def has_colors(dataset: Dataset) -> bool:
    """Whether the images are 8-bit RGB."""
    image = dataset[0].image
    return image.dtype == np.uint8 and image.shape[2] == RGB_BANDS


def input_fields(dataset: Dataset, learned_with: InputSpec | None) -> dict[str, Any]:
    """Return a recipe's `input` for the images of a data set."""
    image = dataset[0].image
    fields: dict[str, Any] = {"size_hw": list(input_size_hw(dataset)), "dtype": image.dtype.name}
    if learned_with and (learned_with.bands, learned_with.dtype) == (
        image.shape[2],
        image.dtype.name,
    ):
        return {**fields, "mean": list(learned_with.mean), "std": list(learned_with.std)}
    if has_colors(dataset):
        return {**fields, "mean": list(MEAN), "std": list(STD)}
    mean, std = band_statistics(dataset)
    return {**fields, "mean": mean, "std": std}


def input_size_hw(dataset: Dataset) -> tuple[int, int]:
    """Return the median size of the images, at most `MAX_PIXELS`, in multiples of `STRIDE`."""
    sizes = [sample.mask.shape for sample in spread_samples(dataset, SIZES_LOOKED_AT)]
    height, width = np.median(np.array(sizes), axis=0)
    shrink = min(1.0, math.sqrt(MAX_PIXELS / (height * width)))
    rounded = [max(1, round(side * shrink / STRIDE)) * STRIDE for side in (height, width)]
    return rounded[0], rounded[1]


def averaging_decay(steps: int) -> float:
    """Return a decay whose memory is a tenth of the training, 1000 steps at most."""
    memory = min(max(steps / 10, 2), 1000)
    return round(1 - 1 / memory, 4)
