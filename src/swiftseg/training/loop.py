"""The training loop: stages of epochs of steps, on whatever devices Accelerate finds."""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.tracking import GeneralTracker
from torch import Tensor

from swiftseg.core import SwiftsegError
from swiftseg.data import Dataset
from swiftseg.evaluation import Evaluation, evaluate
from swiftseg.inference import Segmenter
from swiftseg.recipes.recipe import Recipe
from swiftseg.runs import Environment, Epoch, RunFolder
from swiftseg.runs.history import validations_since_best
from swiftseg.runs.state import RunState, StoppedError
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained import load_trained, read_weights
from swiftseg.trained.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from swiftseg.training.batch_norm import refuse_synchronizing_cpus
from swiftseg.training.compiling import compiling_step, keep_compiled_code
from swiftseg.training.criterion import build_pixel_loss
from swiftseg.training.epoch_log import EpochLog
from swiftseg.training.frames import Batch, EpochFrames, batch_loader
from swiftseg.training.freed_memory import keep_freed_memory
from swiftseg.training.resuming import refuse_no_run, resume_checkpoint
from swiftseg.training.stage import StageTraining, check_networks
from swiftseg.training.stage_data import StageData, open_stage_data
from swiftseg.training.stopping import StopRequest
from swiftseg.training.teacher import Teacher, load_teacher
from swiftseg.training.training_progress import TrainingProgress
from swiftseg.training.validation import recipe_protocol, validate

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
    log: EpochLog
    initial_weights: Path | None
    teacher: Teacher | None


def train_recipe(
    recipe: Recipe,
    open_split: OpenSplit,
    run: RunFolder,
    *,
    environment: Environment,
    resume: bool = False,
    overwrite: bool = False,
    initial_weights: Path | None = None,
    workers: int | None = None,
    trackers: Sequence[str | GeneralTracker] = (),
    finish: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Run a recipe to its end and score its best weights, which are in `run.best` then.

    Args:
        recipe: What to do.
        open_split: Opens a split of a data set by the names a recipe uses; the first is None where
            the recipe leaves it to the data.
        run: Where everything goes.
        environment: What to note as the start of this run.
        resume: Go on where the run in `run` stopped, or with more epochs than it had.
        overwrite: Start over where `run` holds another run.
        initial_weights: A checkpoint or .safetensors file that the first stage starts from, as far
            as its tensors fit.
        workers: As for `TrainingFrames`.
        trackers: Names of `swiftseg.training.epoch_log.TRACKERS`, or trackers of Accelerate.
        finish: What else the first process writes before the folder is unlocked.

    Raises:
        UsageError: The run cannot be resumed, or the recipe names what does not exist.
        SwiftsegError: Data and recipe don't fit, another process trains into the folder, the loss
            is no longer finite, or the recipe compiles and there is no compiler.
        StoppedError: Ctrl-C; the state is in `run.last`.
    """
    if recipe.compile:
        require_compiler()
        keep_compiled_code()
    if resume:
        refuse_no_run(run)
    keep_freed_memory()
    accelerator = build_accelerator(recipe, trackers)
    check_networks(recipe, accelerator.num_processes)
    if recipe.sync_batch_norm:
        refuse_synchronizing_cpus(accelerator.num_processes, accelerator.device)
    data = open_stage_data(
        recipe, open_split, accelerator.num_processes, accelerator.device, workers=workers
    )
    labels = data[0].frames.dataset.labels
    teacher = recipe.distillation and load_teacher(
        recipe.distillation, labels, size_hw=recipe.input.size_hw
    )
    main = accelerator.is_main_process
    with run.locked() if main else nullcontext():
        checkpoint = resume_checkpoint(run, recipe) if resume else None
        accelerator.wait_for_everyone()  # all have read what the first process may replace
        if main:
            prepare_folder(run, recipe, environment, checkpoint, overwrite=overwrite or resume)
        processes, total_steps = accelerator.num_processes, sum(one.total_steps for one in data)
        with (
            RunState(
                run.state, device=accelerator.device.type, processes=processes, enabled=main
            ) as state,
            TrainingProgress(total_steps, enabled=main) as progress,
            StopRequest() as stop_request,
            EpochLog(run, recipe, accelerator) as log,
        ):
            session = Session(
                recipe,
                data,
                run,
                state,
                accelerator,
                progress,
                stop_request,
                log,
                initial_weights,
                teacher,
            )
            for index in range(checkpoint.state.stage if checkpoint else 0, len(recipe.stages)):
                checkpoint = train_stage(session, index, checkpoint)
        evaluation = score_best(run, recipe, data[-1].val_set, accelerator.device)
        if main:
            finish()
    return evaluation


def score_best(
    run: RunFolder, recipe: Recipe, val_set: Dataset, device: torch.device
) -> Evaluation:
    """Score the best weights of a run as the recipe's protocol says."""
    network, spec = load_trained(run.best)
    segmenter = Segmenter(TorchBackend(network, spec, device=device))
    return evaluate(segmenter, val_set, protocol=recipe_protocol(recipe), show_progress=False)


def prepare_folder(
    run: RunFolder,
    recipe: Recipe,
    environment: Environment,
    checkpoint: Checkpoint | None,
    *,
    overwrite: bool,
) -> None:
    """Write what is known before the first step, or clean up what a killed run has left."""
    if checkpoint is None:
        run.start(recipe, environment, overwrite=overwrite)
    else:
        run.sweep()
        run.write_recipe(recipe)  # which may have more epochs now
        if checkpoint.state.history:  # a kill may have come between the two files
            run.write_history(checkpoint.state.history)


def build_accelerator(recipe: Recipe, trackers: Sequence[str | GeneralTracker] = ()) -> Accelerator:
    """Find the devices; several processes without GPUs work together over gloo."""
    # Else a second training of this Python process could have no other precision than the first.
    AcceleratorState._reset_state()  # pyright: ignore[reportPrivateUsage]
    return Accelerator(
        cpu=not torch.accelerator.is_available(),
        mixed_precision=MIXED_PRECISION[recipe.precision],
        log_with=list(trackers) or None,
        dynamo_backend="inductor" if recipe.compile else "no",
    )


def require_compiler() -> None:
    """Raise SwiftsegError if torch.compile has no C++ compiler to work with."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise SwiftsegError(
            f"the recipe compiles the network, and there is no C++ compiler {compiler!r}; "
            "install one, name it in CXX, or train with --set compile=false"
        )


def train_stage(session: Session, index: int, checkpoint: Checkpoint | None) -> Checkpoint:
    """Train one stage, from its start or from where the checkpoint stands in it."""
    stage = session.recipe.stages[index]
    training = begin_stage(session, index, checkpoint)
    while training.state.epoch < stage.epochs and not is_settled(training):
        epoch = train_epoch(session, training)
        if epoch.epoch % session.recipe.validate_every == 0 or epoch.epoch == stage.epochs:
            epoch = validate(training, epoch, session.data[index], session.run)
        training.state.history.append(epoch)
        if session.accelerator.is_main_process:
            session.log.save_epoch(training)
            session.state.note("running")
        session.progress.show_epoch(epoch, stage.epochs)
    return training.checkpoint()


def begin_stage(session: Session, index: int, checkpoint: Checkpoint | None) -> StageTraining:
    """Build a stage and bring it to where the checkpoint stands."""
    data = session.data[index]
    for count in data.frames.read_ahead():
        session.progress.show_reading(count, len(data.frames))
    training = StageTraining(
        session.recipe,
        index,
        data.val_set.labels.without_sets,
        build_pixel_loss(session.recipe, data.frames),
        session.accelerator,
        data.steps_per_epoch,
        session.teacher,
    )
    if checkpoint and checkpoint.state.stage == index:
        training.restore(checkpoint)
        return training
    if checkpoint:
        best = load_checkpoint(session.run.stage_best(session.recipe, index - 1))
        origin = f"the best of {best.stage.name} (epoch {best.state.epoch})"
        session.progress.say(training.fill(best.network, origin))
        training.state.history = checkpoint.state.history
    elif session.initial_weights:
        weights = read_weights(session.initial_weights)
        session.progress.say(training.fill(weights, str(session.initial_weights)))
    if checkpoint is None and session.accelerator.is_main_process:
        # From now on a run without its last checkpoint has lost it, and is not begun anew.
        save_checkpoint(training.checkpoint(), session.run.last)
    return training


def is_settled(training: StageTraining) -> bool:
    """Whether early stopping ends the stage."""
    rule = training.recipe.early_stopping
    return (
        rule is not None
        and training.state.epoch >= rule.start
        and validations_since_best(training.epochs, training.recipe.best) >= rule.patience
    )


def train_epoch(session: Session, training: StageTraining) -> Epoch:
    """Run the steps of one epoch that are still to do; return the epoch's numbers."""
    accelerator, state = session.accelerator, training.state
    data = session.data[state.stage]
    seed = (session.recipe.seed, state.stage, state.epoch)
    batches = data.batches(seed)[state.step :]
    own = [batch[accelerator.process_index :: accelerator.num_processes] for batch in batches]
    started, waited = time.perf_counter(), 0.0
    loader = iter(batch_loader(EpochFrames(data.frames, data.augment, seed), own))
    for batch in batches:
        asked = time.perf_counter()
        frames, masks = next_batch(loader)
        waited += time.perf_counter() - asked
        loss, stop = run_step(session, training, frames, masks)
        if stop and not training.has_run:
            stop_run(session, training)
        if not math.isfinite(loss):
            raise SwiftsegError(
                f"the loss is {loss} at step {state.step} of epoch {state.epoch + 1}, "
                f"stage {training.stage.name}, frames {batch}; lower optimizer.lr"
            )
        show_step(session, training, loss)
        if stop:
            stop_run(session, training)
    seconds = time.perf_counter() - started
    return replace(
        training.finish_epoch(data.steps_per_epoch),
        images_per_second=len(batches) * data.batch_size / seconds,
        wait_share=waited / seconds,
    )


def run_step(
    session: Session, training: StageTraining, frames: Tensor, masks: Tensor
) -> tuple[float, bool]:
    """Take a step; return its loss and whether to stop after it."""
    if training.has_run or not session.recipe.compile:
        return training.run_step(frames, masks, stop=session.stop_request.made)
    session.progress.show_compiling()
    return compiling_step(training, frames, masks, session.stop_request)


def next_batch(loader: Iterator[Batch]) -> Batch:
    """Return the next batch; an error of a reader process is one line, as any other."""
    try:
        return next(loader)
    except SwiftsegError as error:
        # From a reader process it comes with a traceback, whose last line is what was said there.
        said = str(error).strip().splitlines()[-1]
        origin = f"{type(error).__module__}.{type(error).__qualname__}: "
        raise SwiftsegError(said.removeprefix(origin)) from error


def show_step(session: Session, training: StageTraining, loss: float) -> None:
    """Move the progress bar."""
    state = training.state
    done = sum(data.total_steps for data in session.data[: state.stage])
    done += state.epoch * session.data[state.stage].steps_per_epoch + state.step
    session.progress.show_step(
        done,
        f"{training.stage.name} {state.epoch + 1}/{training.stage.epochs}",
        f"loss {loss:.3f}",
    )


def stop_run(session: Session, training: StageTraining) -> None:
    """Save and leave."""
    if session.accelerator.is_main_process:
        save_checkpoint(training.checkpoint(), session.run.last)
    raise StoppedError(
        f"stopped in epoch {training.state.epoch + 1} of stage {training.stage.name}; "
        f"continue with swiftseg train --resume {session.run.path}"
    )
