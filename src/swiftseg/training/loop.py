"""The training loop: stages of epochs of steps, on whatever devices Accelerate finds."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from swiftseg.core import SwiftsegError
from swiftseg.data import Dataset
from swiftseg.evaluation import Evaluation, evaluate
from swiftseg.inference import Segmenter
from swiftseg.losses import WeightedCrossEntropy, enet_class_weights
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_network,
    save_checkpoint,
)
from swiftseg.training.frames import TrainingFrames, batch_loader, count_pixels, epoch_batches
from swiftseg.training.progress import TrainingProgress
from swiftseg.training.recipe import Recipe
from swiftseg.training.run_folder import RunFolder
from swiftseg.training.stage import StageTraining
from swiftseg.training.stopping import StopRequest, StoppedError
from swiftseg.training.pictures import sample_pictures

MIXED_PRECISION = {"f32": "no", "bf16": "bf16", "fp16": "fp16"}


@dataclass
class Session:
    """What stays the same over all stages of a training."""

    recipe: Recipe
    frames: TrainingFrames
    val_set: Dataset
    loss: WeightedCrossEntropy
    run: RunFolder
    accelerator: Accelerator
    progress: TrainingProgress

    @property
    def steps_per_epoch(self) -> int:
        return len(self.frames) // self.recipe.batch_size


def train(
    recipe: Recipe,
    train_set: Dataset,
    val_set: Dataset,
    run: RunFolder,
    *,
    command: list[str],
    resume: bool = False,
) -> Evaluation:
    """Runs a recipe to its end and scores its best weights, which are in `run.best` then.

    Raises:
        UsageError: The run cannot be resumed.
        SwiftsegError: Data and recipe don't fit, or the loss is no longer finite.
        StoppedError: Ctrl-C; the state is in `run.last`.
    """
    accelerator = Accelerator(
        mixed_precision=MIXED_PRECISION[recipe.precision],
        dynamo_backend="inductor" if recipe.compile else "no",
    )
    refuse_misfits(recipe, train_set, val_set, accelerator.num_processes)
    checkpoint = run.resume(recipe) if resume else None
    if accelerator.is_main_process and not resume:
        run.start(recipe, command)
    frames = TrainingFrames(train_set, recipe.input.size_hw)
    total_steps = sum(stage.epochs for stage in recipe.stages) * (len(frames) // recipe.batch_size)
    with TrainingProgress(total_steps, enabled=accelerator.is_main_process) as progress:
        for count in frames.read_ahead():
            progress.show_step(0, f"reading frames {count}/{len(frames)}", "")
        loss = build_loss(recipe, train_set)
        session = Session(recipe, frames, val_set, loss, run, accelerator, progress)
        with StopRequest() as stop_request:
            for index in range(checkpoint.stage if checkpoint else 0, len(recipe.stages)):
                checkpoint = train_stage(session, index, checkpoint, stop_request)
    network, spec = load_network(run.best)
    backend = TorchBackend(network, spec, device=str(accelerator.device))
    return evaluate(Segmenter(backend), val_set)


def refuse_misfits(
    recipe: Recipe, train_set: Dataset, val_set: Dataset, num_processes: int
) -> None:
    for dataset in (train_set, val_set):
        if len(dataset.labels) != recipe.num_classes:
            raise SwiftsegError(
                f"the recipe has {recipe.num_classes} classes where the data has "
                f"{len(dataset.labels)} ({', '.join(dataset.labels.names)}); "
                f"set num_classes={len(dataset.labels)}"
            )
    if len(train_set) < recipe.batch_size:
        raise SwiftsegError(
            f"a batch of {recipe.batch_size} is larger than the data of {len(train_set)} frames; "
            f"set batch_size to {len(train_set)} or less"
        )
    if recipe.batch_size % num_processes:
        raise SwiftsegError(
            f"a batch of {recipe.batch_size} does not divide over {num_processes} processes"
        )


def build_loss(recipe: Recipe, train_set: Dataset) -> WeightedCrossEntropy:
    weights = None
    if recipe.class_weights:
        counts, total = count_pixels(train_set)
        weights = torch.from_numpy(enet_class_weights(counts, total, c=recipe.class_weights.c))
        weights = weights.float()
    ignore_index = train_set.labels.ignore_index
    return WeightedCrossEntropy(weights, ignore_index=-100 if ignore_index is None else ignore_index)


def train_stage(
    session: Session, index: int, checkpoint: Checkpoint | None, stop_request: StopRequest
) -> Checkpoint:
    """Trains one stage, from its start or from where the checkpoint stands in it."""
    recipe, run = session.recipe, session.run
    stage = recipe.stages[index]
    is_last = index == len(recipe.stages) - 1
    best_path = run.best if is_last else run.stage_best(stage.name)
    training = StageTraining(
        recipe,
        index,
        session.frames.dataset.labels,
        session.loss,
        session.accelerator,
        session.steps_per_epoch,
    )
    if checkpoint and checkpoint.stage == index:
        training.restore(checkpoint)
    elif checkpoint:
        previous = load_checkpoint(run.stage_best(recipe.stages[index - 1].name))
        session.progress.say(training.start_from(previous))
    while training.epoch < stage.epochs:
        row = train_epoch(session, training, stop_request)
        if training.epoch % recipe.validate_every == 0 or training.epoch == stage.epochs:
            validate_epoch(session, training, row, best_path)
        if session.accelerator.is_main_process:
            save_epoch(session, training, row)
        session.progress.show_epoch(row, stage.epochs)
    return training.checkpoint()


def train_epoch(
    session: Session, training: StageTraining, stop_request: StopRequest
) -> dict[str, Any]:
    """Runs the steps of one epoch that are still to do; gives the epoch's numbers."""
    accelerator, recipe = session.accelerator, session.recipe
    batches = epoch_batches(
        len(session.frames),
        recipe.batch_size,
        seed=recipe.seed,
        stage=training.index,
        epoch=training.epoch,
    )[training.step :]
    own = [batch[accelerator.process_index :: accelerator.num_processes] for batch in batches]
    started, waited = time.perf_counter(), 0.0
    loader = iter(batch_loader(session.frames, own))
    for batch in batches:
        asked = time.perf_counter()
        frames, masks = next(loader)
        waited += time.perf_counter() - asked
        loss, stop = training.run_step(frames, masks, stop=stop_request.made)
        if not loss < float("inf"):
            raise SwiftsegError(
                f"the loss is {loss} at step {training.step} of epoch {training.epoch + 1}, "
                f"stage {training.stage.name}, frames {batch}; lower optimizer.lr"
            )
        show_step(session, training, loss)
        if stop:
            stop_run(session, training)
    seconds = time.perf_counter() - started
    row = training.finish_epoch(session.steps_per_epoch)
    row["images_per_second"] = len(batches) * recipe.batch_size / seconds
    row["wait_share"] = waited / seconds
    return row


def show_step(session: Session, training: StageTraining, loss: float) -> None:
    stages = session.recipe.stages
    done = sum(stage.epochs for stage in stages[: training.index]) + training.epoch
    session.progress.show_step(
        done * session.steps_per_epoch + training.step,
        f"{training.stage.name} {training.epoch + 1}/{training.stage.epochs}",
        f"loss {loss:.3f} best mIoU {max(training.best_score, 0):.3f}",
    )


def stop_run(session: Session, training: StageTraining) -> None:
    """Saves and leaves."""
    if session.accelerator.is_main_process:
        session.run.save_last(training.checkpoint())
    raise StoppedError(
        f"stopped in epoch {training.epoch + 1} of stage {training.stage.name}; "
        f"the same command with --resume goes on from there ({session.run.last})"
    )


def validate_epoch(
    session: Session, training: StageTraining, row: dict[str, Any], best_path: Path
) -> None:
    """Scores the network; keeps its weights where they are the best of the stage."""
    if not session.accelerator.is_main_process:
        return
    segmenter = training.segmenter()
    scores = evaluate(segmenter, session.val_set).scores
    row["val/mean_iou"] = scores.mean_iou
    row["val/mean_class_accuracy"] = scores.mean_class_accuracy
    row["val/global_accuracy"] = scores.global_accuracy
    pictures = sample_pictures(segmenter, session.val_set)
    session.run.write_samples(training.stage.name, training.epoch, pictures)
    if scores.mean_iou > training.best_score:
        training.best_score = scores.mean_iou
        save_checkpoint(training.weights_only_checkpoint(row), best_path)


def save_epoch(session: Session, training: StageTraining, row: dict[str, Any]) -> None:
    training.history.append(row)
    session.run.save_last(training.checkpoint())
    session.run.write_history(training.history)
    session.run.write_scalars(row, training.epoch)
