"""Presets: changes to a recipe for a kind of data, as overrides that a person can read."""

import math
from collections.abc import Iterator
from typing import Any, cast

from swiftseg.recipes import Recipe, as_overrides
from swiftseg.training.fine_tune import averaging_decay

PRESETS = ("tiny",)

BATCH_SIZE = 4
TARGET_STEPS = 1500
VALIDATIONS = 20
# One image seen from near and far, left and right, in many lights stands for several.
AUGMENTATION: dict[str, Any] = {
    "scale": [0.5, 2.0],
    "class_balanced": 0.5,
    "rotation_degrees": 10.0,
    "horizontal_flip": 0.5,
    "brightness": 0.4,
    "contrast": 0.4,
    "saturation": 0.4,
    "hue": 0.05,
    "blur": 0.2,
}


def tiny_overrides(recipe: Recipe, num_images: int) -> list[str]:
    """Make a recipe fit for a dozen images: small batches, many epochs, strong augmentation.

    Each stage takes about `TARGET_STEPS` steps at a rate that falls as a cosine, since a paper's
    schedule counts the epochs of thousands of images. Nothing stops early: a score on two or three
    images says little about when to.

    Args:
        recipe: The recipe as it is.
        num_images: How many images there are to learn from.

    Returns:
        Overrides as for `load_recipe`.
    """
    batch_size = min(BATCH_SIZE, num_images)
    epochs = math.ceil(TARGET_STEPS / (num_images // batch_size))
    augmentation = recipe.augmentation.model_dump(mode="json") if recipe.augmentation else {}
    values: dict[str, Any] = {f"stages.{i}.batch_size": None for i in range(len(recipe.stages))}
    values |= {
        "batch_size": batch_size,
        "accumulate": min(recipe.accumulate, batch_size),
        "augmentation": {**augmentation, **AUGMENTATION},
        "early_stopping": None,
        "ema": averaging_decay(TARGET_STEPS),
        "validate_every": math.ceil(epochs / VALIDATIONS),
    }
    for index in range(len(recipe.stages)):
        values[f"stages.{index}.epochs"] = epochs
        values[f"stages.{index}.schedule"] = {"name": "cosine", "warmup_steps": 50}
    return as_overrides(values)


def changes(before: Recipe, after: Recipe) -> list[str]:
    """List what differs between two recipes, a line a value: `batch_size: 10 -> 4`.

    Of a section that was not there before, what is off stays unsaid.
    """
    old, new = (dict(leaves(recipe.model_dump(mode="json"))) for recipe in (before, after))
    lines: list[str] = []
    for key, value in new.items():
        if key in old:
            lines += [f"{key}: {old[key]} -> {value}"] if old[key] != value else []
        elif any(name.startswith(f"{key}.") for name in old):
            lines.append(f"{key}: none")
        elif value:
            lines.append(f"{key}: {value}")
    return lines


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the plain values of sections and lists of sections, by dotted names."""
    if isinstance(value, dict):
        children = list(cast(dict[str, Any], value).items())
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        children = [(str(index), child) for index, child in enumerate(cast(list[Any], value))]
    else:
        yield path, value
        return
    for name, child in children:
        yield from leaves(child, f"{path}.{name}" if path else name)
