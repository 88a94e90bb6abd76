"""Optimizers and learning-rate schedules by their names in a recipe, all torch's own."""

import warnings
from typing import Any

from torch import nn, optim
from torch.optim import lr_scheduler

from swiftseg.recipes.recipe import Optimizer, ParameterKind, Schedule

NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)

# A rise from exactly zero would waste the first step.
WARMUP_START = 1e-3


def build_optimizer(settings: Optimizer, network: nn.Module, *, lr: float) -> optim.Optimizer:
    """Build the optimizer of a network's parameters at the base rate `lr`."""
    groups = parameter_groups(settings, network, lr)
    match settings.name:
        case "adam":
            return optim.Adam(groups, lr=lr)
        case "adamw":
            return optim.AdamW(groups, lr=lr)
        case "sgd":
            return optim.SGD(groups, lr=lr, momentum=settings.momentum)


def parameter_groups(settings: Optimizer, network: nn.Module, lr: float) -> list[dict[str, Any]]:
    """Sort parameters that learn by how: one group a pair of rate and weight decay.

    A network's `backbone`, where it has one, learns at the base rate and the rest at
    `head_lr_factor` times it.
    """
    backbone = getattr(network, "backbone", None)
    in_backbone = {id(p) for p in backbone.parameters()} if backbone is not None else set[int]()
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            kinds = parameter_kinds(module, name)
            rate = lr
            if backbone is not None and id(parameter) not in in_backbone:
                rate *= settings.head_lr_factor
            if "bias" in kinds:
                rate *= settings.bias_lr_factor
            decay = 0.0 if kinds & set(settings.no_decay) else settings.weight_decay
            groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def parameter_kinds(module: nn.Module, name: str) -> set[ParameterKind]:
    """Return what a module's own parameter is: a norm's bias is both `norm` and `bias`."""
    kinds: set[ParameterKind] = set()
    if name == "bias":
        kinds.add("bias")
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.groups > 1:
        kinds.add("depthwise")
    if isinstance(module, NORMS):
        kinds.add("norm")
    return kinds


def build_schedule(
    settings: Schedule, optimizer: optim.Optimizer, *, epochs: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    """Build a schedule that is stepped after every optimizer step."""
    steps = epochs * steps_per_epoch
    if settings.name == "one_cycle":
        return one_cycle(optimizer, steps, settings.warmup)
    if not settings.warmup_steps:
        return falling_schedule(settings, optimizer, steps, steps_per_epoch)
    rise = lr_scheduler.LinearLR(optimizer, WARMUP_START, total_iters=settings.warmup_steps)
    fall = falling_schedule(
        settings, optimizer, max(steps - settings.warmup_steps, 1), steps_per_epoch
    )
    return lr_scheduler.SequentialLR(optimizer, [rise, fall], [settings.warmup_steps])


def one_cycle(optimizer: optim.Optimizer, steps: int, warmup: float) -> lr_scheduler.LRScheduler:
    """Build torch's one-cycle schedule; its rise is at least a step long, and it needs three."""
    if steps < 3:
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)
    max_lr = [float(group["lr"]) for group in optimizer.param_groups]
    share = warmup if warmup * steps > 1 else 2 / steps  # torch's rise has one step less
    return lr_scheduler.OneCycleLR(optimizer, max_lr=max_lr, total_steps=steps, pct_start=share)


def falling_schedule(
    settings: Schedule, optimizer: optim.Optimizer, steps: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    match settings.name:
        case "step":
            every = settings.every * steps_per_epoch
            return lr_scheduler.StepLR(optimizer, step_size=every, gamma=settings.gamma)
        case "poly":
            return lr_scheduler.PolynomialLR(optimizer, total_iters=steps, power=settings.power)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        case _:
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)


def advance(schedule: lr_scheduler.LRScheduler, steps: int) -> None:
    """Bring a fresh schedule and its optimizer to where they are after some optimizer steps."""
    with warnings.catch_warnings():
        # Torch expects an optimizer step before each; those were taken before.
        warnings.filterwarnings("ignore", message=r"Detected call of `lr_scheduler.step\(\)`")
        for _ in range(steps):
            schedule.step()
