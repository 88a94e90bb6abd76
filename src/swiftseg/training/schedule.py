"""Optimizers and learning-rate schedules by their names in a recipe, all torch's own."""

from collections.abc import Iterable

from torch import nn, optim
from torch.optim import lr_scheduler

from swiftseg.training.recipe import Optimizer, Schedule


def build_optimizer(recipe: Optimizer, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
    match recipe.name:
        case "adam":
            return optim.Adam(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
        case "adamw":
            return optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
        case "sgd":
            return optim.SGD(
                parameters,
                lr=recipe.lr,
                momentum=recipe.momentum,
                weight_decay=recipe.weight_decay,
            )


def build_schedule(
    recipe: Schedule, optimizer: optim.Optimizer, *, epochs: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    """Builds a schedule that is stepped after every optimizer step."""
    steps = epochs * steps_per_epoch
    match recipe.name:
        case "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        case "step":
            every = recipe.every * steps_per_epoch
            return lr_scheduler.StepLR(optimizer, step_size=every, gamma=recipe.gamma)
        case "poly":
            return lr_scheduler.PolynomialLR(optimizer, total_iters=steps, power=recipe.power)
        case "one_cycle":
            max_lr = [float(group["lr"]) for group in optimizer.param_groups]
            return lr_scheduler.OneCycleLR(
                optimizer, max_lr=max_lr, total_steps=steps, pct_start=recipe.warmup
            )
