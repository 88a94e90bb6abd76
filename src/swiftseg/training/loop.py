"""The training loop: stages of epochs of steps, on whatever devices Accelerate finds."""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data import Dataset
from swiftseg.evaluation import Evaluation, evaluate
from swiftseg.inference import Segmenter
from swiftseg.recipes.recipe import Recipe
from swiftseg.runs.state import RunState
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained.checkpoint import (
    HELD_OUT_SCORES,
    VAL_SCORES,
    Checkpoint,
    load_checkpoint,
    load_network,
    save_checkpoint,
)
from swiftseg.trained.initial_weights import read_initial_weights
from swiftseg.training.batch_norm import refuse_synchronizing_cpus
from swiftseg.training.criterion import build_pixel_loss, padding_index
from swiftseg.training.distillation import Teacher, load_teacher
from swiftseg.training.frames import Batch, EpochFrames, batch_loader, epoch_batches
from swiftseg.training.memory import keep_freed_memory
from swiftseg.training.pictures import sample_pictures
from swiftseg.training.progress import TrainingProgress
from swiftseg.training.run_folder import RunFolder
from swiftseg.training.scoring import recipe_protocol
from swiftseg.training.stage import StageTraining, check_networks
from swiftseg.training.stage_data import StageData, open_stage_data
from swiftseg.training.stopping import StoppedError, StopRequest

MIXED_PRECISION = {"f32": "no", "bf16": "bf16", "fp16": "fp16"}

OpenSplit = Callable[[str | None, str], Dataset]


@dataclass
class Session:
    """What stays the same over all stages of a training."""

    recipe: Recipe
    data: list[StageData]
    run: RunFolder
    state: RunState
    accelerator: Accelerator
    progress: TrainingProgress
    stop_request: StopRequest
    initial_weights: Path | None = None
    teacher: Teacher | None = None


def train(
    recipe: Recipe,
    open_split: OpenSplit,
    run: RunFolder,
    *,
    command: list[str],
    resume: bool = False,
    overwrite: bool = False,
    initial_weights: Path | None = None,
) -> Evaluation:
    """Runs a recipe to its end and scores its best weights, which are in `run.best` then.

    Args:
        recipe: What to do.
        open_split: Opens a split of a data set by the names a recipe uses; the first is None where
            the recipe leaves it to the data.
        run: Where everything goes.
        command: What to note as the command that started this.
        resume: Go on where the run in `run` stopped.
        overwrite: Start over where `run` holds another run.
        initial_weights: A checkpoint or .safetensors file that the first stage starts from, as far
            as its tensors fit.

    Raises:
        UsageError: The run cannot be resumed, or the recipe names what does not exist.
        SwiftsegError: Data and recipe don't fit, the loss is no longer finite, or the recipe
            compiles and there is no compiler.
        StoppedError: Ctrl-C; the state is in `run.last`.
    """
    if recipe.compile:
        require_compiler()
    check_networks(recipe)
    keep_freed_memory()
    accelerator = build_accelerator(recipe)
    if recipe.sync_batch_norm:
        refuse_synchronizing_cpus(accelerator.num_processes, accelerator.device)
    data = open_stage_data(recipe, open_split, accelerator.num_processes, accelerator.device)
    teacher = recipe_teacher(recipe, data[0].val_set.labels)
    checkpoint = run.resume(recipe) if resume else None
    main = accelerator.is_main_process
    accelerator.wait_for_everyone()  # all have read what the first process may replace
    if main and checkpoint is None:
        run.start(recipe, command, overwrite=overwrite or resume)
    elif main:
        run.sweep()
    total_steps = sum(stage.total_steps for stage in data)
    facts = {"device": str(accelerator.device.type), "processes": accelerator.num_processes}
    with (
        RunState(run.state, facts, enabled=main) as state,
        TrainingProgress(total_steps, enabled=main) as progress,
        StopRequest() as stop_request,
    ):
        session = Session(
            recipe, data, run, state, accelerator, progress, stop_request, initial_weights, teacher
        )
        for index in range(checkpoint.stage if checkpoint else 0, len(recipe.stages)):
            checkpoint = train_stage(session, index, checkpoint)
    network, spec = load_network(run.best)
    segmenter = Segmenter(TorchBackend(network, spec, device=accelerator.device))
    protocol = recipe_protocol(recipe)
    return evaluate(segmenter, data[-1].val_set, protocol=protocol, show_progress=False)


def build_accelerator(recipe: Recipe) -> Accelerator:
    """Finds the devices; several processes without GPUs work together over gloo."""
    return Accelerator(
        cpu=not torch.accelerator.is_available(),
        mixed_precision=MIXED_PRECISION[recipe.precision],
        dynamo_backend="inductor" if recipe.compile else "no",
    )


def require_compiler() -> None:
    """Raises SwiftsegError if torch.compile has no C++ compiler to work with."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise SwiftsegError(
            f"the recipe compiles the network, and there is no C++ compiler {compiler!r}; "
            "install one, name it in CXX, or train without by --set compile=false"
        )


def recipe_teacher(recipe: Recipe, labels: LabelSet) -> Teacher | None:
    if recipe.distillation is None:
        return None
    return load_teacher(
        recipe.distillation,
        labels,
        size_hw=recipe.input.size_hw,
        ignore_index=padding_index(labels),
    )


def train_stage(session: Session, index: int, checkpoint: Checkpoint | None) -> Checkpoint:
    """Trains one stage, from its start or from where the checkpoint stands in it."""
    recipe, run, data = session.recipe, session.run, session.data[index]
    stage = recipe.stages[index]
    for count in data.frames.read_ahead():
        session.progress.show_reading(count, len(data.frames))
    training = StageTraining(
        recipe,
        index,
        data.val_set.labels,
        build_pixel_loss(recipe, data.frames),
        session.accelerator,
        data.steps_per_epoch,
        session.teacher,
    )
    if checkpoint and checkpoint.stage == index:
        training.restore(checkpoint)
    elif checkpoint:
        previous = load_checkpoint(best_path(session, index - 1))
        session.progress.say(training.start_from(previous))
    elif session.initial_weights:
        weights = read_initial_weights(session.initial_weights)
        session.progress.say(training.fill(weights, str(session.initial_weights)))
    while training.epoch < stage.epochs and not is_settled(training):
        row = train_epoch(session, training)
        if training.epoch % recipe.validate_every == 0 or training.epoch == stage.epochs:
            if session.accelerator.is_main_process:
                validate(session, training, row)
            row = training.share_validation(row)
        training.history.append(row)
        if session.accelerator.is_main_process:
            save_epoch(run, training)
            session.state.note("running")
        session.progress.show_epoch(row, stage.epochs)
    return training.checkpoint()


def best_path(session: Session, index: int) -> Path:
    """Gives where the best weights of a stage are; those of the last are the run's."""
    is_last = index == len(session.recipe.stages) - 1
    return (
        session.run.best if is_last else session.run.stage_best(session.recipe.stages[index].name)
    )


def is_settled(training: StageTraining) -> bool:
    """Tells whether early stopping ends the stage."""
    rule = training.recipe.early_stopping
    return (
        rule is not None
        and training.epoch >= rule.start
        and training.validations_since_best >= rule.patience
    )


def train_epoch(session: Session, training: StageTraining) -> dict[str, Any]:
    """Runs the steps of one epoch that are still to do; gives the epoch's numbers."""
    accelerator, data = session.accelerator, session.data[training.index]
    seed = (session.recipe.seed, training.index, training.epoch)
    batches = epoch_batches(len(data.frames), data.batch_size, seed)[training.step :]
    own = [batch[accelerator.process_index :: accelerator.num_processes] for batch in batches]
    started, waited = time.perf_counter(), 0.0
    loader = iter(batch_loader(EpochFrames(data.frames, data.augment, seed), own))
    for batch in batches:
        asked = time.perf_counter()
        frames, masks = next_batch(loader)
        waited += time.perf_counter() - asked
        loss, stop = training.run_step(frames, masks, stop=session.stop_request.made)
        if not math.isfinite(loss):
            raise SwiftsegError(
                f"the loss is {loss} at step {training.step} of epoch {training.epoch + 1}, "
                f"stage {training.stage.name}, frames {batch}; lower optimizer.lr"
            )
        show_step(session, training, loss)
        if stop:
            stop_run(session, training)
    seconds = time.perf_counter() - started
    row = training.finish_epoch(data.steps_per_epoch)
    row["images_per_second"] = len(batches) * data.batch_size / seconds
    row["wait_share"] = waited / seconds
    return row


def next_batch(loader: Iterator[Batch]) -> Batch:
    try:
        return next(loader)
    except SwiftsegError as error:
        # From a reader process it comes with a traceback, whose last line is what was said there.
        said = str(error).strip().splitlines()[-1]
        origin = f"{SwiftsegError.__module__}.{SwiftsegError.__qualname__}: "
        raise SwiftsegError(said.removeprefix(origin)) from error


def show_step(session: Session, training: StageTraining, loss: float) -> None:
    done = sum(data.total_steps for data in session.data[: training.index])
    done += training.epoch * session.data[training.index].steps_per_epoch + training.step
    session.progress.show_step(
        done,
        f"{training.stage.name} {training.epoch + 1}/{training.stage.epochs}",
        f"loss {loss:.3f}",
    )


def stop_run(session: Session, training: StageTraining) -> None:
    """Saves and leaves."""
    if session.accelerator.is_main_process:
        session.run.save_last(training.checkpoint())
    raise StoppedError(
        f"stopped in epoch {training.epoch + 1} of stage {training.stage.name}; "
        f"the same command with --resume goes on from there ({session.run.last})"
    )


def validate(session: Session, training: StageTraining, row: dict[str, Any]) -> None:
    """Scores the network into `row`; keeps its weights where they are the stage's best."""
    data, segmenter = session.data[training.index], training.segmenter()
    if session.recipe.reestimate_batch_norm:
        training.reestimate_batch_norm(data.frames, data.batch_size)
    protocol = recipe_protocol(session.recipe)
    scores = evaluate(segmenter, data.val_set, protocol=protocol, show_progress=False).scores
    kind = VAL_SCORES if session.recipe.hold_out is None else HELD_OUT_SCORES
    row[f"{kind}mean_iou"] = scores.mean_iou
    row[f"{kind}mean_class_accuracy"] = scores.mean_class_accuracy
    row[f"{kind}global_accuracy"] = scores.global_accuracy
    score = scores.mean_iou
    if session.recipe.best == "loss":
        row[f"{kind}loss"] = training.validation_loss(data.val_frames)
        score = -row[f"{kind}loss"]
    pictures = sample_pictures(protocol.segmenter(segmenter), data.val_set)
    session.run.write_samples(training.stage.name, training.epoch, pictures)
    training.validations_since_best += 1
    if score > training.best_score:
        training.best_score, training.validations_since_best = score, 0
        save_checkpoint(training.best_checkpoint(row), best_path(session, training.index))


def save_epoch(run: RunFolder, training: StageTraining) -> None:
    run.save_last(training.checkpoint())
    run.write_history(training.history)
    run.write_scalars(training.history[-1], training.epoch)
