"""Which trainings `train_family.py` does, in order of worth, and what each will cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu.network_changes import CHANGES
from benchmarks.street_table import HELD_OUT_DRIVE, ROWS, SEEDS
from swiftseg.recipes.recipe import Recipe, Stage
from swiftseg.recipes.recipe_file import load_recipe
from swiftseg.trained.checkpoint import stage_network

FORWARD_AND_BACKWARD = 3  # a backward pass costs two forward passes
FLOPS_A_MAC = 2

# What a GPU is assumed to sustain in training, in 1e12 operations a second of bf16: an H100 reaches
# 800 in one large product. Networks of few channels wait for memory.
SUSTAINED_TFLOPS = 150.0
NARROW_TFLOPS = {
    "enet": 12.0,
    "enet_encoder": 12.0,
    "fast_scnn": 12.0,
    "segfast": 12.0,
    "segfast_basic": 50.0,
}

# Where a backbone has not seen ImageNet, one rate for all is the ShelfNet paper's own.
ONE_RATE = ("optimizer.lr=0.01", "optimizer.head_lr_factor=1.0")
LIGHT_ON_CAMVID = (
    *("dataset=camvid", "num_classes=11", "input.size_hw=[360, 480]", "batch_size=12"),
    *("augmentation.crop_hw=[360, 480]", "stages.0.schedule.warmup_steps=100"),
)
IMAGENET_INPUT = "input.mean=[0.485, 0.456, 0.406]", "input.std=[0.229, 0.224, 0.225]"


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: Such as `segnet paper`.
        recipe_name: A shipped recipe.
        share: Of the time, against the other runs that are still to do.
        overrides: What is changed in the recipe, as `load_recipe` takes it.
        starts_from: The run or the shipped model whose weights this one starts from.
        change: Of `CHANGES`, if the network is not the paper's.
        backbone: Whether the convolutions start from the VGG-16 of `--backbones`.
        whole: Whether it is one of a table's rows, which are as long as each other: it takes the
            time that it needs, as long as there is any.
        deviates: What `overrides` mean, in words, beside the shortening.
    """

    name: str
    recipe_name: str
    share: float
    overrides: tuple[str, ...] = ()
    starts_from: str | None = None
    change: str | None = None
    backbone: bool = False
    whole: bool = False
    deviates: str = ""

    def recipe(self, extra: tuple[str, ...] = ()) -> Recipe:
        return load_recipe(self.recipe_name, [*self.overrides, *extra])


def ours(network: str, share: float, *options: str, backbone: bool = False) -> Run:
    """Our recipe for Fast-SCNN with another network in it."""
    overrides = (f"name={network}-camvid-modern", f"stages.0.network={network}", *options)
    deviates = f"fast_scnn_camvid_modern with {network} in it"
    return Run(
        f"{network} ours",
        "fast_scnn_camvid_modern",
        share,
        overrides,
        backbone=backbone,
        deviates=deviates,
    )


def streets(network: str, share: float, *options: str) -> Run:
    """Our recipe for three data sets of streets, longer and in larger batches."""
    overrides = ("stages.0.epochs=100", "batch_size=16", "ema=0.998", *options)
    return Run(
        f"{network} streets",
        f"{network}_streets",
        share,
        overrides,
        starts_from=f"{network}-camvid",
        deviates="batches of 16, epochs as far as the time goes; the last weights are kept",
    )


def street_row(row: str, changes: Sequence[str], seed: int) -> Run:
    """One of the changes of `benchmarks/street_table.py`, with a drive held out."""
    overrides = (
        f"seed={seed}",
        f"hold_out='{HELD_OUT_DRIVE}'",
        *(f"stages.0.epochs={ROW_EPOCHS}", "batch_size=16", "ema=0.99"),
        *changes,
    )
    return Run(f"row {row}, seed {seed}", "fast_scnn_streets", 1, overrides, whole=True)


def enet_row(change: str | None, seed: int) -> Run:
    """ENet's paper recipe in little, with one of its choices undone and a drive held out."""
    overrides = (f"seed={seed}", f"hold_out='{HELD_OUT_DRIVE}'", *ENET_IN_LITTLE)
    return Run(
        f"enet {change or 'as it is'}, seed {seed}",
        "enet_camvid",
        1,
        overrides,
        change=change,
        whole=True,
        deviates=f"30 epochs in all; {change or 'no change'}; {HELD_OUT_DRIVE} is held out",
    )


def shelfnet_row(name: str, *options: str, change: str | None = None) -> Run:
    """ShelfNet-50's recipe in little, for its paper's ablation of the shared weights."""
    overrides = (*ONE_RATE, "stages.0.epochs=30", *options)
    return Run(
        f"shelfnet50 {name}",
        "shelfnet50_camvid",
        5,
        overrides,
        change=change,
        whole=True,
        deviates=f"30 epochs; {NO_IMAGENET}",
    )


ROW_EPOCHS = 12
# One row is longer than the others, and statistics are taken of CamVid alone here.
LEFT_OUT = ("four times the rate, twice the epochs", "statistics of the frames")
ENET_IN_LITTLE = (
    *("stages.0.epochs=10", "stages.0.schedule.every=8"),
    *("stages.1.epochs=20", "stages.1.schedule.every=16"),
)
NO_IMAGENET = "the backbone starts at random, so one rate of 0.01 for all of it"
PAPER_RUNS = (
    Run("enet paper", "enet_camvid", 9),
    Run("segnet paper", "segnet_camvid", 16, backbone=True),
    Run("segnet_basic paper", "segnet_basic_camvid", 11),
    Run("fcn8s paper", "fcn8s_camvid", 9),
    Run("shelfnet50 paper", "shelfnet50_camvid", 14, ONE_RATE, deviates=NO_IMAGENET),
    Run("fast_scnn paper", "fast_scnn_camvid", 9),
)
WIDE_RUNS = (
    Run("segnet paper of segfast", "segnet_camvid_segfast", 8),
    Run(
        "shelfnet18_lw paper",
        "shelfnet18_lw_cityscapes",
        6,
        LIGHT_ON_CAMVID,
        deviates="Cityscapes' recipe on CamVid in batches of 12, its start at random",
    ),
    Run(
        "shelfnet34_lw paper",
        "shelfnet34_lw_cityscapes",
        6,
        LIGHT_ON_CAMVID,
        deviates="Cityscapes' recipe on CamVid in batches of 12, its start at random",
    ),
    Run("fcn8s paper from VGG-16", "fcn8s_camvid", 6, backbone=True),
    Run("segnet paper from scratch", "segnet_camvid", 8),
    shelfnet_row("shared"),
    shelfnet_row("unshared", "stages.0.options.share_weights=false"),
    shelfnet_row("without dropout", change="without spatial dropout"),
    ours("segnet", 8, "optimizer.lr=0.001", backbone=True),
    ours("shelfnet50", 8, "optimizer.lr=0.001"),
    ours("segnet_basic", 4),
    ours("shelfnet18_lw", 3, *IMAGENET_INPUT),
    ours("shelfnet34_lw", 3, *IMAGENET_INPUT),
    ours("fcn8s", 4, "optimizer.lr=0.0003", backbone=True),
)
NARROW_RUNS = (
    Run("segfast paper", "segfast_camvid", 3),
    Run("segfast_basic paper", "segfast_basic_camvid", 3),
    Run("enet ours", "enet_camvid_modern", 4, starts_from="enet paper"),
    Run("fast_scnn ours", "fast_scnn_camvid_modern", 4),
    Run("segfast ours", "segfast_camvid_modern", 3),
    ours("segfast_basic", 3),
    Run("fast_scnn half", "fast_scnn_camvid", 3, ("input.size_hw=[180, 240]",)),
    Run("fast_scnn quarter", "fast_scnn_camvid", 3, ("input.size_hw=[90, 120]",)),
)
ENET_RUNS = tuple(enet_row(change, seed) for seed in SEEDS for change in (None, *CHANGES))
STREET_RUNS = (streets("fast_scnn", 8), streets("enet", 8), streets("segfast", 6))
ROW_RUNS = tuple(
    street_row(row, changes, seed)
    for row, changes in ROWS.items()
    for seed in SEEDS
    if row not in LEFT_OUT
)
GROUPS: dict[str, tuple[Run, ...]] = {
    "papers": PAPER_RUNS,
    "wide": WIDE_RUNS,
    "narrow": NARROW_RUNS,
    "enet": ENET_RUNS,
    "streets": STREET_RUNS,
    "rows": ROW_RUNS,
}
RUNS = tuple(run for group in GROUPS.values() for run in group)

TINY = (
    *("batch_size=2", "validate_every=1", "augmentation.crop_hw=[24, 32]"),
    *("augmentation.scale=[0.7, 1.6]",),
)


def tiny_overrides(run: Run) -> tuple[str, ...]:
    """Return what makes a run a matter of seconds on a CPU."""
    recipe = run.recipe()
    kept = TINY if recipe.augmentation else TINY[:2]
    return ("input.size_hw=[24, 32]", *kept)


def unfilled_network(stage: Stage, num_classes: int, change: str | None = None) -> nn.Module:
    """Build a stage's network with fresh weights, whatever backbone its recipe names."""
    network = stage_network(stage.without_backbone_weights(), num_classes)
    if change:
        CHANGES[change](network)
    return network


def stage_gmacs(recipe: Recipe, stage: Stage) -> float:
    """Count the multiply-accumulates of one training frame's forward pass, in 1e9."""
    augmentation = recipe.augmentation
    size_hw = (augmentation and augmentation.crop_hw) or recipe.input.size_hw
    with torch.device("meta"):
        network = unfilled_network(stage, recipe.num_classes).eval()
        image = torch.empty(1, 3, *size_hw)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return counter.get_total_flops() / FLOPS_A_MAC / 1e9


def assumed_tflops(stage: Stage) -> float:
    return NARROW_TFLOPS.get(stage.network, SUSTAINED_TFLOPS)


def estimated_seconds(gmacs: float, frames: int, tflops: float) -> float:
    """Estimate a training's time: GMACs x 3 x frames over what the GPU is assumed to sustain."""
    return gmacs * FLOPS_A_MAC * FORWARD_AND_BACKWARD * frames / (tflops * 1e3)


def time_for(run: Run, to_do: Sequence[Run], seconds_left: float) -> float:
    """Divide the time that is left by the shares of the runs to do, `run` among them."""
    if run.whole:
        return seconds_left
    return seconds_left * run.share / sum(other.share for other in to_do)


def estimate(run: Run, recipe: Recipe, frames: int, seconds: float) -> Mapping[str, float | str]:
    """Estimate what a run needs by its recipe and how much of it fits into `seconds`."""
    whole = 0.0
    for stage in recipe.stages:
        gmacs = stage_gmacs(recipe, stage)
        whole += estimated_seconds(gmacs, frames * stage.epochs, assumed_tflops(stage))
    return {
        "run": run.name,
        "gmacs": round(stage_gmacs(recipe, recipe.stages[-1]), 3),
        "assumed_tflops": assumed_tflops(recipe.stages[-1]),
        "whole_recipe_s": round(whole, 1),
        "given_s": round(seconds, 1),
        "share_of_recipe": round(min(1.0, seconds / whole), 3),
    }
