"""One run: a recipe's stages on the device, each as long as its part of the time allows."""

import math
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks.gpu.batch_augment import BatchAugment
from benchmarks.gpu.captured_step import (
    CapturedGradients,
    EagerGradients,
    MovingAverage,
    gradients_of,
    mixed_precision,
)
from benchmarks.gpu.device_frames import RecipeData
from benchmarks.gpu.family_plan import unfilled_network
from swiftseg.layers.vgg16 import CONVOLUTIONS
from swiftseg.metrics import scores
from swiftseg.recipes.recipe import Optimizer, Recipe, Schedule
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.batch_norm import reestimate_batch_norm
from swiftseg.training.criterion import build_pixel_loss, padding_index
from swiftseg.training.optimization import build_schedule, parameter_groups
from swiftseg.training.step import TrainingStep

VGG16_FILE = "vgg16-convolutions.safetensors"
TIMED_STEPS = 6
SCORED_TIMES = 6  # in a stage, apart from recipes that are scored every epoch
RESERVE = 0.94  # of a stage's time is planned; scoring takes the rest
DATA_DEPENDENT_LOSSES = ("ohem", "lovasz")  # a CUDA graph cannot hold them


@dataclass
class StageResult:
    """What a stage has come to.

    Attributes:
        facts: Plain values, for the JSON.
        weights: The best ones, on the CPU.
        matrices: Their confusion matrices by protocol.
    """

    facts: dict[str, Any]
    weights: dict[str, Tensor] = field(default_factory=dict)
    matrices: dict[str, Tensor] = field(default_factory=dict)


class StageRun:
    """A network, its optimizer and its data, through a stage.

    Args:
        recipe: The whole recipe.
        index: Of the stage.
        data: What it learns from.
        start: Tensors to start from, as far as they fit by name and shape.
        change: Of `CHANGES`, or None.
        backbones: A folder that holds VGG-16's convolutions, if the network starts from them.
        compiled: Whether torch.compile makes the step.
        captured: Whether the step becomes a CUDA graph, where the loss allows it.
    """

    def __init__(
        self,
        recipe: Recipe,
        index: int,
        data: RecipeData,
        *,
        start: Mapping[str, Tensor],
        change: str | None,
        backbones: Path | None,
        compiled: bool,
        captured: bool,
    ) -> None:
        self.recipe, self.stage, self.data, self.index = recipe, recipe.stages[index], data, index
        device = data.device
        torch.manual_seed(recipe.seed + index)
        network = unfilled_network(self.stage, recipe.num_classes, change)
        self.filled = fill_fitting(network, start)
        if backbones is not None and not start:
            self.filled = fill_convolutions(network, load_file(backbones / VGG16_FILE))
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.average = MovingAverage(self.network, recipe.ema) if recipe.ema else None
        criterion = build_pixel_loss(recipe, data.train_frames)
        step = TrainingStep(
            self.network, criterion, recipe.loss, recipe.input.to_spec(), coarse=self.stage.coarse
        )
        self.step = step.to(device).train()
        self.augment: BatchAugment | None = None
        if recipe.augmentation:
            self.augment = BatchAugment(
                recipe.augmentation,
                recipe.input.size_hw,
                ignore_index=padding_index(data.train_frames.dataset.labels),
                device=device,
                seed=recipe.seed + index,
            )
        self.batch_size = min(self.stage.batch_size or recipe.batch_size, len(data.train_frames))
        self.steps_per_epoch = len(data.train_frames) // self.batch_size
        self.way = "eager"
        self.gradients = self.make_gradients(device, compiled=compiled, captured=captured)

    def make_gradients(
        self, device: torch.device, *, compiled: bool, captured: bool
    ) -> CapturedGradients | EagerGradients:
        """Capture the step; say why in `way` where it cannot be."""
        gradients = gradients_of(self.step, device, compiled=compiled)
        names = ["compiled"] if compiled else []
        eager = EagerGradients(self.batch, gradients, self.network)
        if captured and device.type == "cuda" and self.recipe.loss.name in DATA_DEPENDENT_LOSSES:
            self.way = f"eager: the loss {self.recipe.loss.name} depends on its values"
            return eager
        if not captured or device.type != "cuda":
            self.way = " ".join([*names, "eager"])
            return eager
        kept = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        draws = (self.augment.draws,) if self.augment else ()
        try:
            made = CapturedGradients(
                self.batch, gradients, self.network, self.numbers(range(self.batch_size)), draws
            )
            self.way = " ".join([*names, "CUDA graph"])
        except RuntimeError as error:
            self.way = f"eager: not captured, {str(error).splitlines()[0]}"
            made = eager
        self.network.load_state_dict(kept)  # trying has moved the statistics
        return made

    def numbers(self, indices: Iterable[int | list[int]]) -> Tensor:
        return torch.tensor([*indices]).to(self.data.device, non_blocking=True)

    def batch(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames uint8 (N, h, w, 3) and masks uint8 (N, h, w), augmented."""
        images, masks, frame_hw = (tensor[numbers] for tensor in self.data.train)
        return self.augment(images, masks, frame_hw) if self.augment else (images, masks)

    def step_seconds(self) -> float:
        """Time a step; what it has moved is put back."""
        kept = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        optimizer = fused_optimizer(self.recipe.optimizer, self.network, 0.0, self.data.device)
        numbers = self.numbers(range(self.batch_size))
        times: list[float] = []
        for _ in range(TIMED_STEPS):
            self.synchronize()
            started = time.perf_counter()
            self.gradients(numbers)
            optimizer.step()
            self.synchronize()
            times.append(time.perf_counter() - started)
        self.network.load_state_dict(kept)
        return float(np.median(times[1:]))

    def synchronize(self) -> None:
        if self.data.device.type == "cuda":
            torch.cuda.synchronize(self.data.device)

    def run(self, seconds: float, *, most_epochs: int | None = None) -> StageResult:
        """Train for about `seconds`, at most as long as the recipe says, and score."""
        step_s = self.step_seconds()
        whole = min(self.stage.epochs, most_epochs or self.stage.epochs)
        fitting = int(RESERVE * seconds / (step_s * self.steps_per_epoch))
        epochs = max(1, min(whole, fitting))
        optimizer = fused_optimizer(
            self.recipe.optimizer,
            self.network,
            self.stage.lr or self.recipe.optimizer.lr,
            self.data.device,
        )
        schedule = build_schedule(
            shortened(self.stage.schedule, epochs / self.stage.epochs),
            optimizer,
            epochs=epochs,
            steps_per_epoch=self.steps_per_epoch,
        )
        result = StageResult({})
        curve: list[dict[str, float]] = []
        started, deadline, best = time.perf_counter(), seconds, -math.inf
        for epoch in range(1, epochs + 1):
            loss = self.run_epoch(epoch, optimizer, schedule)
            late = time.perf_counter() - started > deadline
            row = {"epoch": epoch, "loss": loss, "lr": float(schedule.get_last_lr()[0])}
            # Of several data sets the first alone says too little to choose weights by.
            due = epoch == epochs if self.recipe.datasets else is_scored(epoch, epochs)
            if due or late:
                matrices = self.scored()
                found = scores(matrices["native"].numpy())
                row["val/mean_iou"] = found.mean_iou
                row["val/global_accuracy"] = found.global_accuracy
                if found.mean_iou > best:
                    best = found.mean_iou
                    result.weights, result.matrices = self.weights(), matrices
                    result.facts["best_epoch"] = epoch
            row["seconds"] = time.perf_counter() - started
            curve.append({key: round(value, 6) for key, value in row.items()})
            if late or not math.isfinite(loss):
                break
        took = time.perf_counter() - started
        result.facts |= {
            "stage": self.stage.name,
            "way": self.way,
            "started_from_tensors": self.filled,
            "recipe_epochs": self.stage.epochs,
            "planned_epochs": epochs,
            "epochs_done": len(curve),
            "share_of_recipe": round(len(curve) / self.stage.epochs, 4),
            "step_ms": round(1000 * step_s, 3),
            "batch_size": self.batch_size,
            "seconds": round(took, 2),
            "curve": curve,
        }
        return result

    def run_epoch(
        self,
        epoch: int,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> float:
        """Take the steps of one epoch; return their mean loss. The host never waits in between."""
        self.step.train()
        total = torch.zeros((), device=self.data.device)
        seed = self.recipe.seed, self.index, epoch
        for numbers in self.numbers(self.data.batches(self.batch_size, seed)):
            total += self.gradients(numbers)
            if self.recipe.optimizer.max_gradient_norm:
                nn.utils.clip_grad_norm_(
                    self.network.parameters(), self.recipe.optimizer.max_gradient_norm
                )
            optimizer.step()
            schedule.step()
            if self.average:
                self.average.update()
        return float(total) / self.steps_per_epoch

    def weights(self) -> dict[str, Tensor]:
        """Copy the weights that are scored to the CPU."""
        with self.average.in_place() if self.average else nullcontext():
            state = self.network.state_dict()
            return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def scored(self) -> dict[str, Tensor]:
        """Label the validation frames; return confusion matrices by protocol."""
        with self.average.in_place() if self.average else nullcontext():
            if self.recipe.reestimate_batch_norm:
                self.reestimate()
            graph = FrameGraph(self.network, self.recipe.input.to_spec(), "labels")
            graph = graph.to(self.data.device).eval()
            with torch.inference_mode(), mixed_precision(self.data.device):
                images = self.data.val_images
                # Full batches alone, of the training's shape: no other kernels are looked for.
                missing = -len(images) % self.batch_size
                padded = torch.cat((images, images[-1:].expand(missing, -1, -1, -1)))
                labels = torch.cat([graph(part)[0] for part in padded.split(self.batch_size)])
        return self.data.confusions(labels[: len(images)])

    def reestimate(self) -> None:
        """Average the statistics over the training frames at the network's size."""
        frames = stacked_at(self.data, self.recipe.input.size_hw)
        graph = FrameGraph(self.network, self.recipe.input.to_spec(), "logits")
        graph = graph.to(self.data.device)
        with mixed_precision(self.data.device):
            full = frames[: self.steps_per_epoch * self.batch_size].split(self.batch_size)
            batches = (graph.normalized(part) for part in full)
            reestimate_batch_norm(self.network, batches)


def stacked_at(data: RecipeData, size_hw: tuple[int, int]) -> Tensor:
    """Return the training images at the network's size, uint8 (M, h, w, 3)."""
    frames = data.read("train", size_hw)
    return torch.stack([frames[index][0] for index in range(len(frames))])


def is_scored(epoch: int, epochs: int) -> bool:
    """Whether an epoch is one of `SCORED_TIMES` evenly spaced ones, the last among them."""
    return epoch * SCORED_TIMES // epochs > (epoch - 1) * SCORED_TIMES // epochs


def shortened(schedule: Schedule, share: float) -> Schedule:
    """Let a schedule's own spans shrink with its stage."""
    return schedule.model_copy(
        update={
            "every": max(1, round(schedule.every * share)),
            "warmup_steps": round(schedule.warmup_steps * share),
        }
    )


def fused_optimizer(
    recipe: Optimizer, network: nn.Module, lr: float, device: torch.device
) -> torch.optim.Optimizer:
    """Build the recipe's optimizer in torch's fused form, a few launches a step."""
    groups = parameter_groups(recipe, network, lr)
    fused = device.type == "cuda"
    match recipe.name:
        case "adam":
            return torch.optim.Adam(groups, lr=lr, fused=fused)
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, fused=fused)
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=recipe.momentum, fused=fused)


def fill_fitting(network: nn.Module, weights: Mapping[str, Tensor]) -> int:
    """Fill the tensors that fit by name and shape; return how many did."""
    own = network.state_dict()
    fitting = {n: t for n, t in weights.items() if n in own and own[n].shape == t.shape}
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def fill_convolutions(network: nn.Module, weights: Mapping[str, Tensor]) -> int:
    """Fill a network's first 13 convolutions with VGG-16's; return how many tensors were filled.

    Raises:
        RuntimeError: A shape is another one.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for own, theirs in zip(convolutions, CONVOLUTIONS, strict=False):
            own.weight.copy_(weights[f"{theirs}.weight"])
            torch.as_tensor(own.bias).copy_(weights[f"{theirs}.bias"])
    return 2 * len(CONVOLUTIONS)
