"""One stage of a training: network, optimizer and schedule, and where they stand."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.inference import Segmenter
from swiftseg.recipes.recipe import Recipe
from swiftseg.runtimes.torch_backend import FrameGraph, TorchBackend
from swiftseg.trained.checkpoint import Checkpoint, model_spec, stage_network
from swiftseg.training.batch_norm import reestimate_batch_norm, synchronize_batch_norm
from swiftseg.training.criterion import Criterion
from swiftseg.training.distillation import Teacher
from swiftseg.training.frames import EpochFrames, TrainingFrames, batch_loader, epoch_batches
from swiftseg.training.freezing import freeze
from swiftseg.training.optimization import build_optimizer, build_schedule
from swiftseg.training.step import TrainingStep

SHOWN_FRESH = 4
TINY = 1e-12  # a batch of nothing but void has no loss, rather than none that is a number


def check_networks(recipe: Recipe) -> None:
    """Builds the network of each stage without its values, so that no wrong name waits for hours.

    Raises:
        UsageError: A network, one of its options or a module to freeze does not exist.
    """
    for stage in recipe.stages:
        with torch.device("meta"):
            network = stage_network(stage.without_backbone_weights(), recipe.num_classes)
        freeze(network, stage.freeze)


Tensors = tuple[Tensor, ...] | list[Tensor]


def warmed_up_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Averages over few steps at first, so that the random start is soon forgotten.

    The decay after n steps is (1 + n) / (10 + n) while that is the smaller one, as in TensorFlow's
    `ExponentialMovingAverage`.
    """

    def average(averaged: Tensors, current: Tensors, num_averaged: Tensor | int) -> None:
        steps = int(num_averaged)
        ema = get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))
        ema(averaged, current, num_averaged)

    return average


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
        criterion: Criterion,
        accelerator: Accelerator,
        steps_per_epoch: int,
        teacher: Teacher | None = None,
    ) -> None:
        self.recipe, self.index, self.labels = recipe, index, labels
        self.stage = recipe.stages[index]
        self.criterion = criterion
        self.accelerator = accelerator
        torch.manual_seed(recipe.seed + index)
        network = stage_network(self.stage, recipe.num_classes)
        if recipe.sync_batch_norm:
            network = synchronize_batch_norm(network, accelerator.num_processes)
        # Frames come as (N, H, W, 3): channels_last costs no copy, and convolutions are faster.
        network = network.to(accelerator.device)
        self.network = network.to(memory_format=torch.channels_last)
        self.frozen = freeze(self.network, self.stage.freeze)
        self.averaged: AveragedModel | None = None
        if recipe.ema is not None:
            average = warmed_up_average(recipe.ema)
            self.averaged = AveragedModel(self.network, multi_avg_fn=average, use_buffers=True)
        self.training_step = TrainingStep(
            self.network,
            criterion,
            recipe.loss,
            recipe.input.to_spec(),
            coarse=self.stage.coarse,
            teacher=teacher,
        )
        lr = self.stage.lr or recipe.optimizer.lr
        optimizer = build_optimizer(recipe.optimizer, self.network, lr=lr)
        self.schedule = build_schedule(
            self.stage.schedule,
            optimizer,
            epochs=self.stage.epochs,
            steps_per_epoch=steps_per_epoch,
        )
        self.module, self.optimizer = accelerator.prepare(self.training_step, optimizer)
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
        self.module.train()
        for module in self.frozen:
            module.eval()
        share = self.add_gradients(frames, masks)
        if self.recipe.optimizer.max_gradient_norm:
            self.accelerator.clip_grad_norm_(
                self.network.parameters(), self.recipe.optimizer.max_gradient_norm
            )
        self.optimizer.step()
        self.optimizer.zero_grad()
        found = torch.stack((share, share.new_tensor(float(stop))))
        loss, stops = cast(Tensor, self.accelerator.reduce(found, reduction="sum")).tolist()
        if not self.accelerator.optimizer_step_was_skipped:
            self.schedule.step()
            if self.averaged:
                self.averaged.update_parameters(self.network)
        self.step += 1
        self.loss_sum += loss
        return loss, bool(stops)

    def add_gradients(self, frames: Tensor, masks: Tensor) -> Tensor:
        """Adds up the gradients of a batch part by part; gives this device's share of the loss.

        Each part counts as it would in the undivided batch: its sums are divided by the normalizers
        of all parts on all devices.
        """
        device, devices = self.accelerator.device, self.accelerator.num_processes
        frames, masks = frames.to(device), masks.to(device)
        parts = self.recipe.accumulate
        split = zip(frames.tensor_split(parts), masks.tensor_split(parts), strict=True)
        totals, loss = None, torch.zeros((), device=device)
        for number, part in enumerate(split, start=1):
            is_last = number == parts
            with nullcontext() if is_last else self.accelerator.no_sync(self.module):
                sums, normalizers, compared = self.module(*part)
                if totals is None:
                    others = masks[len(compared) :]
                    totals = self.total_normalizers(normalizers, others, compared.shape[-2:])
                share = (sums / totals).sum()
                # Gradients are averaged over devices, the loss over all pixels of all devices.
                self.accelerator.backward(share * devices)
            loss += share.detach()
        return loss

    def total_normalizers(
        self, normalizers: Tensor, other_masks: Tensor, size_hw: Sequence[int]
    ) -> Tensor:
        """Adds to a part's normalizers those of this batch's other masks, then of all devices."""
        if len(other_masks):
            normalizers = normalizers + self.training_step.normalizers(other_masks, size_hw)
        totals = cast(Tensor, self.accelerator.reduce(normalizers, reduction="sum"))
        return totals.clamp_min(TINY)

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
            scaler=self.accelerator.scaler.state_dict() if self.accelerator.scaler else {},
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
        if self.accelerator.scaler and checkpoint.scaler:
            self.accelerator.scaler.load_state_dict(checkpoint.scaler)
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

    def segmenter(self) -> Segmenter:
        """Wraps the network as it stands for evaluation; the next step trains it on."""
        spec = model_spec(self.recipe, self.index, self.labels, self.history)
        return Segmenter(TorchBackend(self.evaluated, spec, device=self.accelerator.device))

    def validation_loss(self, frames: TrainingFrames) -> float:
        """Averages the loss of the logits over frames at network size."""
        device = self.accelerator.device
        graph = FrameGraph(self.evaluated, self.recipe.input.to_spec(), "logits").to(device).eval()
        totals = torch.zeros((), device=device), torch.zeros((), device=device)
        with torch.no_grad():
            for image, mask in map(frames.__getitem__, range(len(frames))):
                logits = graph.logits(image[None].to(device))
                terms = self.criterion(logits, mask[None].to(device).long())
                totals = totals[0] + terms[0], totals[1] + terms[1]
        return float((totals[0] / totals[1].clamp_min(TINY)).sum())

    def reestimate_batch_norm(self, frames: TrainingFrames, batch_size: int) -> None:
        """Gives the evaluated network the statistics of the training frames, not augmented."""
        device, input_spec = self.accelerator.device, self.recipe.input.to_spec()
        if frames.size_hw != input_spec.size_hw:
            frames = TrainingFrames(frames.dataset, input_spec.size_hw)
        seed = (self.recipe.seed, self.index, 0)
        batches = epoch_batches(len(frames), batch_size, seed)
        loader = batch_loader(EpochFrames(frames, None, seed), batches)
        graph = FrameGraph(self.evaluated, input_spec, "logits").to(device)
        images = (graph.normalized(batch.to(device)) for batch, _ in loader)
        frozen = [self.evaluated.get_submodule(name) for name in self.stage.freeze]
        reestimate_batch_norm(self.evaluated, images, frozen=frozen)
