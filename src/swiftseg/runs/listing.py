"""Many runs side by side, as their folders tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from swiftseg.core import SwiftsegError
from swiftseg.runs.history import best_epoch
from swiftseg.runs.run_folder import MARKS, RunFolder
from swiftseg.runs.state import StateFile, read_state


@dataclass(frozen=True)
class RunSummary:
    """A training as its folder tells.

    Attributes:
        network: That of the stage it has reached.
        stage: That stage.
        epoch: Complete epochs of it.
        epochs: Those it is to have.
        mean_iou: In 0..1, of the stage's best weights; None before the first validation.
        scored_on: What that was measured on: the validation split, or the group held out.
        hold_out: The group of the training frames that the network has not seen, or None.
        wall_seconds: Of all starts of the run; None where nothing tells.
        precision: Such as `bf16`.
        state: running, finished, stopped, failed, killed, or unknown.
    """

    folder: Path
    recipe: str
    network: str
    stage: str
    epoch: int
    epochs: int
    mean_iou: float | None
    scored_on: str
    hold_out: str | None
    loss: float | None
    wall_seconds: float | None
    precision: str
    seed: int
    state: str


@dataclass(frozen=True)
class SeedsSummary:
    """Trainings that differ in their seed alone.

    Attributes:
        seeds: Those with a score.
        mean_iou: The mean of their mean IoU, 0..1.
        deviation: Their standard deviation.
    """

    folder: Path
    seeds: tuple[int, ...]
    mean_iou: float
    deviation: float


def seed_folder(folder: Path, seed: int) -> Path:
    """Return where the run of a seed is among those of one training."""
    return folder / f"seed_{seed}"


def summarize_seeds(runs: Sequence[RunSummary]) -> list[SeedsSummary]:
    """Sum up the runs that are the seeds of one training, where two or more have a score."""
    groups: dict[Path, list[RunSummary]] = {}
    for run in runs:
        if run.mean_iou is not None and run.folder == seed_folder(run.folder.parent, run.seed):
            groups.setdefault(run.folder.parent, []).append(run)
    found: list[SeedsSummary] = []
    for folder, own in sorted(groups.items()):
        if len(own) > 1:
            mean, deviation = spread_of([run.mean_iou or 0.0 for run in own])
            seeds = tuple(sorted(run.seed for run in own))
            found.append(SeedsSummary(folder, seeds, mean, deviation))
    return found


def spread_of(scores: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the standard deviation, with n - 1 in its denominator."""
    return mean(scores), stdev(scores)


def read_runs(root: Path) -> tuple[list[RunSummary], list[str]]:
    """Read all runs in a folder, which may be one itself, and below it.

    Returns:
        The runs, the best first and those without a score last; and a line for each that is
        broken.

    Raises:
        SwiftsegError: There is no such folder, or no run in it.
    """
    found: list[RunSummary] = []
    broken: list[str] = []
    if not root.is_dir():
        raise SwiftsegError(f"{root}: no such folder")
    folders = {path.parent for mark in MARKS for path in root.rglob(mark)}
    if not folders:
        raise SwiftsegError(f"{root}: no runs here; expected folders that swiftseg train has made")
    for folder in sorted(folders):
        try:
            found.append(read_run(folder))
        except SwiftsegError as error:
            broken.append(str(error))
    by_score = sorted(found, key=lambda run: -1.0 if run.mean_iou is None else run.mean_iou)
    return by_score[::-1], broken


def read_run(folder: Path) -> RunSummary:
    """Read one run.

    Raises:
        SwiftsegError: A file is missing, or holds what no training writes.
    """
    run = RunFolder(folder)
    recipe, epochs, state = run.read_recipe(), run.read_history(), read_state(run.state)
    names = [stage.name for stage in recipe.stages]
    reached = epochs[-1].stage if epochs else names[0]
    if reached not in names:
        raise SwiftsegError(
            f"{run.metrics}: stage {reached!r} is none of the recipe's ({', '.join(names)})"
        )
    index = names.index(reached)
    stage, last = recipe.stages[index], epochs[-1] if epochs else None
    best = best_epoch([epoch for epoch in epochs if epoch.stage == stage.name], recipe.best)
    epoch = last.epoch if last else 0
    is_complete = index == len(recipe.stages) - 1 and epoch == stage.epochs
    return RunSummary(
        folder=folder,
        recipe=recipe.name,
        network=stage.network,
        stage=stage.name,
        epoch=epoch,
        epochs=stage.epochs,
        mean_iou=best.val_mean_iou if best else None,
        scored_on=recipe.val_split if recipe.hold_out is None else recipe.hold_out,
        hold_out=recipe.hold_out,
        loss=last.loss if last else None,
        wall_seconds=state.wall_seconds if state else None,
        precision=recipe.precision,
        seed=recipe.seed,
        state=_state_word(state, is_complete=is_complete),
    )


def _state_word(state: StateFile | None, *, is_complete: bool) -> str:
    """Return how a run stands; one that says it runs and has no process any more was killed."""
    if state is None:
        return "finished" if is_complete else "unknown"
    if state.state == "running" and state.is_local and not state.is_alive:
        return "killed"
    return state.state
