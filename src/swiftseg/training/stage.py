"""One stage of a training: network, optimizer and schedule, and where they stand."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from swiftseg.core import LabelSet
from swiftseg.layers.filling import fill_what_fits, shortened
from swiftseg.recipes.recipe import Recipe
from swiftseg.runs.history import Epoch
from swiftseg.trained.checkpoint import Checkpoint, TrainingState, stage_network
from swiftseg.training.batch_norm import refuse_single_frames, synchronize_batch_norm
from swiftseg.training.criterion import Criterion
from swiftseg.training.freezing import freeze
from swiftseg.training.optimization import advance, build_optimizer, build_schedule
from swiftseg.training.step import TrainingStep
from swiftseg.training.teacher import Teacher

TINY = 1e-12  # a batch of nothing but void has no loss, rather than none that is a number


def check_networks(recipe: Recipe, num_processes: int = 1) -> None:
    """Build the network of each stage without its values, so that no wrong name waits for hours.

    Raises:
        UsageError: A network, one of its options or a module to freeze does not exist.
        SwiftsegError: A network would see too few frames at a time, see `refuse_single_frames`.
    """
    augmentation = recipe.augmentation
    input_hw = (augmentation and augmentation.crop_hw) or recipe.input.size_hw
    for stage in recipe.stages:
        with torch.device("meta"):
            network = stage_network(
                stage.without_backbone_weights(),
                recipe.num_classes,
                recipe.input.to_spec().bands,
            )
        freeze(network, stage.freeze)
        if not (recipe.sync_batch_norm and num_processes > 1):
            refuse_single_frames(
                network,
                (recipe.input.to_spec().bands, *input_hw),
                batch_size=stage.batch_size or recipe.batch_size,
                parts=num_processes * recipe.accumulate,
            )


Tensors = tuple[Tensor, ...] | list[Tensor]


def warmed_up_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Return an average over few steps at first, so that the random start is soon forgotten.

    The decay after n steps is (1 + n) / (10 + n) while that is the smaller one, as in TensorFlow's
    `ExponentialMovingAverage`.
    """

    def average(averaged: Tensors, current: Tensors, num_averaged: Tensor | int) -> None:
        steps = int(num_averaged)
        ema = get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))
        ema(averaged, current, num_averaged)

    return average


class StageTraining:
    """A stage's network and all that trains it.

    Attributes:
        state: Where the training stands; a checkpoint saves it and a resume restores it.
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
        self.recipe, self.labels = recipe, labels
        self.has_run = False
        self.stage = recipe.stages[index]
        self.state = TrainingState(stage=index)
        self.criterion, self.accelerator = criterion, accelerator
        torch.manual_seed(recipe.seed + index)
        self.network = self._build_network()
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

    def _build_network(self) -> nn.Module:
        bands = self.recipe.input.to_spec().bands
        network = stage_network(self.stage, self.recipe.num_classes, bands)
        if self.recipe.sync_batch_norm:
            network = synchronize_batch_norm(network, self.accelerator.num_processes)
        # Frames come as (N, H, W, 3): channels_last costs no copy, and convolutions are faster.
        network = network.to(self.accelerator.device)
        return network.to(memory_format=torch.channels_last)

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and kept: the averaged one where the recipe averages."""
        return self.averaged.module if self.averaged else self.network

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs of this stage so far."""
        return [epoch for epoch in self.state.history if epoch.stage == self.stage.name]

    def run_step(self, frames: Tensor, masks: Tensor, *, stop: bool) -> tuple[float, bool]:
        """Take one optimizer step; return the loss over all devices and if any wants to stop."""
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
        self.state.step += 1
        self.state.loss_sum += loss
        self.has_run = True
        return loss, bool(stops)

    def add_gradients(self, frames: Tensor, masks: Tensor) -> Tensor:
        """Add up the gradients of a batch part by part; return this device's share of the loss.

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
        """Add to a part's normalizers those of this batch's other masks, then of all devices."""
        if len(other_masks):
            normalizers = normalizers + self.training_step.normalizers(other_masks, size_hw)
        totals = cast(Tensor, self.accelerator.reduce(normalizers, reduction="sum"))
        return totals.clamp_min(TINY)

    def finish_epoch(self, steps: int) -> Epoch:
        """Count the epoch and return its numbers."""
        state = self.state
        loss = state.loss_sum / steps
        state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
        lr = float(self.schedule.get_last_lr()[0])
        return Epoch(self.stage.name, loss, lr, epoch=state.epoch)

    def checkpoint(self) -> Checkpoint:
        """Return everything that a resume needs."""
        rng = {"cpu": torch.get_rng_state()}
        if self.accelerator.device.type == "cuda":
            rng["cuda"] = torch.cuda.get_rng_state(self.accelerator.device)
        return Checkpoint(
            recipe=self.recipe,
            labels=self.labels,
            state=self.state,
            network=self.network.state_dict(),
            averaged=self.averaged.state_dict() if self.averaged else {},
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
            scaler=self.accelerator.scaler.state_dict() if self.accelerator.scaler else {},
            rng=rng,
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on exactly where a checkpoint of this stage stands.

        Where the stage has got another number of epochs since, the learning rate goes on as that of
        a training which had this number from its start.
        """
        self.network.load_state_dict(checkpoint.network)
        if self.averaged:
            self.averaged.load_state_dict(checkpoint.averaged)
        if checkpoint.stage.epochs == self.stage.epochs:
            self.optimizer.load_state_dict(checkpoint.optimizer)
            self.schedule.load_state_dict(checkpoint.schedule)
        else:
            advance(self.schedule, checkpoint.schedule["last_epoch"])
            rates = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({**checkpoint.optimizer, "param_groups": rates})
        if self.accelerator.scaler and checkpoint.scaler:
            self.accelerator.scaler.load_state_dict(checkpoint.scaler)
        self.state = checkpoint.state
        torch.set_rng_state(checkpoint.rng["cpu"])
        if self.accelerator.device.type == "cuda" and "cuda" in checkpoint.rng:
            torch.cuda.set_rng_state(checkpoint.rng["cuda"], self.accelerator.device)

    def fill(self, weights: Mapping[str, Tensor], origin: str) -> str:
        """Take over the tensors that fit; return a line that says how many did, and which not.

        Raises:
            MisfitError: None fits.
        """
        what = f"nothing of {origin} fits into stage {self.stage.name}"
        fresh = fill_what_fits(self.network, weights, what)
        if self.averaged:
            self.averaged.module.load_state_dict(self.network.state_dict())
        total = len(self.network.state_dict())
        rest = f"; fresh: {shortened(fresh)}" if fresh else ""
        return (
            f"{self.stage.name} starts from {origin}: "
            f"{total - len(fresh)} of {total} tensors filled{rest}"
        )
