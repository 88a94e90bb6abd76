"""A self-test of a recipe on its data: can the network overfit one batch?

Where it cannot, frames and masks don't belong together, the rate is wrong, or the loss doesn't
reach the network, and a whole training would be wasted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from swiftseg.recipes.recipe import Recipe, Schedule
from swiftseg.training.criterion import build_pixel_loss
from swiftseg.training.frames import EpochFrames, batch_loader
from swiftseg.training.loop import OpenSplit, build_accelerator
from swiftseg.training.stage import StageTraining
from swiftseg.training.stage_data import open_stage_data

PASSING_SHARE = 0.1  # of the first loss
MAX_STEPS = 500
DROPOUTS = nn.Dropout, nn.Dropout2d


@dataclass(frozen=True)
class OverfitTest:
    """How a network learned one batch.

    Attributes:
        passed: The last one is at most `PASSING_SHARE` of the first.
    """

    losses: tuple[float, ...]
    passed: bool


def overfit_one_batch(
    recipe: Recipe,
    open_split: OpenSplit,
    *,
    max_steps: int = MAX_STEPS,
    show: Callable[[int, float], None] = lambda step, loss: None,
) -> OverfitTest:
    """Train the last stage's network on the first batch of its frames; write nothing.

    Everything is as the recipe says, except what keeps a network from overfitting:
    augmentation, dropout, label smoothing, a teacher, averaging, and a rate that changes.

    Raises:
        SwiftsegError: Data and recipe don't fit.
    """
    recipe = without_regularization(recipe)
    accelerator = build_accelerator(recipe)
    [data] = open_stage_data(recipe, open_split, 1, accelerator.device)
    criterion = build_pixel_loss(recipe, data.frames)
    training = StageTraining(recipe, 0, data.val_set.labels.without_sets, criterion, accelerator, 1)
    training.frozen += [m for m in training.network.modules() if isinstance(m, DROPOUTS)]
    batch = list(range(data.batch_size))
    [(frames, masks)] = batch_loader(EpochFrames(data.frames, None, (0, 0, 0)), [batch])
    losses: list[float] = []
    passed = False
    while not passed and len(losses) < max_steps:
        loss, _ = training.run_step(frames, masks, stop=False)
        losses.append(loss)
        show(len(losses), loss)
        if not math.isfinite(loss):
            break
        passed = loss <= PASSING_SHARE * losses[0]
    return OverfitTest(tuple(losses), passed)


def without_regularization(recipe: Recipe) -> Recipe:
    """Return a recipe of the last stage alone that learns as directly as it can."""
    stage = recipe.stages[-1].model_copy(update={"schedule": Schedule(name="constant")})
    changed: dict[str, Any] = {
        "augmentation": None,
        "loss": recipe.loss.model_copy(update={"label_smoothing": 0.0}),
        "distillation": None,
        "ema": None,
        "stages": (stage,),
    }
    return recipe.model_copy(update=changed)
