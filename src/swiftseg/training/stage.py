"""One stage of a training: network, optimizer and schedule, and where they stand."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.checkpoint import Checkpoint, model_spec, stage_network
from swiftseg.training.frames import TrainingFrames
from swiftseg.training.optimization import build_optimizer, build_schedule
from swiftseg.training.recipe import Recipe
from swiftseg.training.scoring import recipe_segmenter
from swiftseg.training.step import PixelLoss, TrainingStep

SHOWN_FRESH = 4
TINY = 1e-12  # a batch of nothing but void has no loss, rather than none that is a number


class StageTraining:
    """The state that a checkpoint saves and a resume restores.

    Attributes:
        epoch: Complete epochs.
        step: Done steps of the running epoch.
        loss_sum: Their summed loss.
        best_score: Best score so far, the higher the better; -inf before the first validation.
        validations_since_best: For early stopping.
        history: One row of plain values an epoch, all stages.
    """

    def __init__(
        self,
        recipe: Recipe,
        index: int,
        labels: LabelSet,
        pixel_loss: PixelLoss,
        accelerator: Accelerator,
        steps_per_epoch: int,
    ) -> None:
        self.recipe, self.index, self.labels = recipe, index, labels
        self.stage = recipe.stages[index]
        self.pixel_loss = pixel_loss
        self.accelerator = accelerator
        torch.manual_seed(recipe.seed + index)
        network = stage_network(self.stage, recipe.num_classes)
        # Frames come as (N, H, W, 3): channels_last costs no copy, and convolutions are faster.
        network = network.to(accelerator.device)
        self.network = network.to(memory_format=torch.channels_last)
        self.averaged: AveragedModel | None = None
        if recipe.ema is not None:
            average = get_ema_multi_avg_fn(recipe.ema)
            self.averaged = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        step = TrainingStep(
            self.network, pixel_loss, recipe.loss, recipe.input.to_spec(), coarse=self.stage.coarse
        )
        lr = self.stage.lr or recipe.optimizer.lr
        optimizer = build_optimizer(recipe.optimizer, self.network, lr=lr)
        self.schedule = build_schedule(
            self.stage.schedule,
            optimizer,
            epochs=self.stage.epochs,
            steps_per_epoch=steps_per_epoch,
        )
        self.module, self.optimizer = accelerator.prepare(step, optimizer)
        self.epoch = 0
        self.step = 0
        self.loss_sum = 0.0
        self.best_score = -math.inf
        self.validations_since_best = 0
        self.history: list[dict[str, Any]] = []

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and kept: the averaged one where the recipe averages."""
        return self.averaged.module if self.averaged else self.network

    def run_step(self, frames: Tensor, masks: Tensor, *, stop: bool) -> tuple[float, bool]:
        """Takes one optimizer step; gives the loss over all devices and if any wants to stop.

        Args:
            frames: uint8 (N, H, W, 3), this device's share of the batch.
            masks: uint8 (N, H, W).
            stop: This process was asked to stop.
        """
        device, devices = self.accelerator.device, self.accelerator.num_processes
        self.module.train()
        loss_sum, normalizer = self.module(frames.to(device), masks.to(device))
        parts = torch.stack((loss_sum.detach(), normalizer, normalizer.new_tensor(float(stop))))
        total_loss, total, stops = self.accelerator.reduce(parts, reduction="sum")
        # Gradients are averaged over devices, the loss over all pixels of all devices.
        self.accelerator.backward(loss_sum * devices / total.clamp_min(TINY))
        if self.recipe.optimizer.max_gradient_norm:
            self.accelerator.clip_grad_norm_(
                self.network.parameters(), self.recipe.optimizer.max_gradient_norm
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        loss = float(total_loss / total.clamp_min(TINY))
        if not self.accelerator.optimizer_step_was_skipped:
            self.schedule.step()
            if self.averaged:
                self.averaged.update_parameters(self.network)
        self.step += 1
        self.loss_sum += loss
        return loss, bool(stops)

    def finish_epoch(self, steps: int) -> dict[str, Any]:
        """Counts the epoch and gives its numbers."""
        self.epoch += 1
        row = {
            "stage": self.stage.name,
            "epoch": self.epoch,
            "loss": self.loss_sum / steps,
            "lr": float(self.schedule.get_last_lr()[0]),
        }
        self.step, self.loss_sum = 0, 0.0
        return row

    def checkpoint(self) -> Checkpoint:
        """Gives everything that a resume needs."""
        rng = {"cpu": torch.get_rng_state()}
        if self.accelerator.device.type == "cuda":
            rng["cuda"] = torch.cuda.get_rng_state(self.accelerator.device)
        return Checkpoint(
            recipe=self.recipe,
            labels=self.labels,
            stage=self.index,
            epoch=self.epoch,
            step=self.step,
            network=self.network.state_dict(),
            averaged=self.averaged.state_dict() if self.averaged else {},
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
            rng=rng,
            best_score=self.best_score,
            validations_since_best=self.validations_since_best,
            history=self.history,
            loss_sum=self.loss_sum,
        )

    def best_checkpoint(self, row: dict[str, Any]) -> Checkpoint:
        """Gives what evaluation and export need; `row` is the epoch that has just been scored."""
        return Checkpoint(
            recipe=self.recipe,
            labels=self.labels,
            stage=self.index,
            epoch=self.epoch,
            network=self.evaluated.state_dict(),
            best_score=self.best_score,
            history=[*self.history, row],
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes on exactly where a checkpoint of this stage stands."""
        self.network.load_state_dict(checkpoint.network)
        if self.averaged:
            self.averaged.load_state_dict(checkpoint.averaged)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        self.schedule.load_state_dict(checkpoint.schedule)
        self.epoch, self.step = checkpoint.epoch, checkpoint.step
        self.loss_sum, self.best_score = checkpoint.loss_sum, checkpoint.best_score
        self.validations_since_best = checkpoint.validations_since_best
        self.history = checkpoint.history
        torch.set_rng_state(checkpoint.rng["cpu"])
        if self.accelerator.device.type == "cuda" and "cuda" in checkpoint.rng:
            torch.cuda.set_rng_state(checkpoint.rng["cuda"], self.accelerator.device)

    def start_from(self, previous: Checkpoint) -> str:
        """Takes over what the stage before has learned; says what fitted.

        Raises:
            SwiftsegError: Nothing of it fits.
        """
        before = self.recipe.stages[previous.stage].name
        self.history = previous.history
        return self.fill(previous.network, f"the best of {before} (epoch {previous.epoch})")

    def fill(self, weights: Mapping[str, Tensor], origin: str) -> str:
        """Takes over the tensors that fit by name and shape; says how many did, and which not.

        Raises:
            SwiftsegError: None fits.
        """
        own = self.network.state_dict()
        fitting = {
            name: tensor
            for name, tensor in weights.items()
            if name in own and own[name].shape == tensor.shape
        }
        if not fitting:
            raise SwiftsegError(f"nothing of {origin} fits into stage {self.stage.name}")
        self.network.load_state_dict(fitting, strict=False)
        if self.averaged:
            self.averaged.module.load_state_dict(self.network.state_dict())
        fresh = [name for name in own if name not in fitting]
        rest = f"; fresh: {', '.join(fresh[:SHOWN_FRESH])}" if fresh else ""
        more = f" and {len(fresh) - SHOWN_FRESH} more" if len(fresh) > SHOWN_FRESH else ""
        return (
            f"{self.stage.name} starts from {origin}: "
            f"{len(fitting)} of {len(own)} tensors filled{rest}{more}"
        )

    def share_validation(self, row: dict[str, Any]) -> dict[str, Any]:
        """Gives every process what the first one, which alone validates, has found."""
        found: list[Any] = [row, self.best_score, self.validations_since_best]
        row, self.best_score, self.validations_since_best = broadcast_object_list(found)
        return row

    def segmenter(self) -> Segmenter | AveragingSegmenter:
        """Wraps the network as it stands for evaluation; the next step trains it on."""
        spec = model_spec(self.recipe, self.index, self.labels, self.history)
        return recipe_segmenter(self.recipe, self.evaluated, spec, self.accelerator.device)

    def validation_loss(self, frames: TrainingFrames) -> float:
        """Averages the loss of the logits over frames at network size."""
        device = self.accelerator.device
        graph = FrameGraph(self.evaluated, self.recipe.input.to_spec(), "logits").to(device).eval()
        total, normalizer = 0.0, 0.0
        with torch.no_grad():
            for image, mask in map(frames.__getitem__, range(len(frames))):
                logits = graph.logits(image[None].to(device))
                loss_sum, weight = self.pixel_loss(logits, mask[None].to(device).long())
                total, normalizer = total + float(loss_sum), normalizer + float(weight)
        return total / max(normalizer, TINY)
