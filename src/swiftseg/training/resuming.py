"""Going on with a run that was stopped or killed, or that is to have more epochs."""

from swiftseg.core import UsageError
from swiftseg.recipes.recipe import Recipe
from swiftseg.runs import RunFolder
from swiftseg.trained.checkpoint import Checkpoint, load_checkpoint


def resume_checkpoint(run: RunFolder, recipe: Recipe) -> Checkpoint | None:
    """Read where a run stands; None where it was killed before its first checkpoint.

    The recipe may have more or fewer epochs than the run's in the stages that are not yet done.

    Raises:
        UsageError: The run has another recipe, or has done more epochs than the recipe has.
        SwiftsegError: The last checkpoint is missing or damaged, and results would be lost.
    """
    run.refuse_lost_work()
    checkpoint = load_checkpoint(run.last) if run.last.exists() else None
    stored = checkpoint.recipe if checkpoint else run.read_recipe()
    reached = checkpoint.state.stage if checkpoint else 0
    refuse_other_recipe(run, with_epochs_of(stored, recipe, reached), recipe)
    if checkpoint:
        refuse_fewer_epochs(run, checkpoint, recipe)
    return checkpoint


def refuse_no_run(run: RunFolder) -> None:
    """Raise UsageError where the folder holds nothing of a run."""
    if not run.found():
        raise UsageError(f"{run.path}: nothing to resume, there is no run here")


def with_epochs_of(stored: Recipe, recipe: Recipe, first_stage: int) -> Recipe:
    """Return the stored recipe with the other's epochs from a stage on."""
    if len(stored.stages) != len(recipe.stages):
        return stored
    stages = [
        old.model_copy(update={"epochs": new.epochs}) if index >= first_stage else old
        for index, (old, new) in enumerate(zip(stored.stages, recipe.stages, strict=True))
    ]
    return stored.model_copy(update={"stages": tuple(stages)})


def refuse_other_recipe(run: RunFolder, stored: Recipe, recipe: Recipe) -> None:
    """Raise UsageError where two recipes differ."""
    ours, given = stored.model_dump(), recipe.model_dump()
    differing = [key for key in ours if ours[key] != given[key]]
    if differing:
        raise UsageError(
            f"{run.path}: the run was started with another recipe, which differs in "
            f"{', '.join(differing)}; resume with the same recipe and --set values"
        )


def refuse_fewer_epochs(run: RunFolder, checkpoint: Checkpoint, recipe: Recipe) -> None:
    """Raise UsageError where the stage is further than the recipe goes."""
    state, stage = checkpoint.state, recipe.stages[checkpoint.state.stage]
    begun = state.epoch + (state.step > 0)
    if begun > stage.epochs:
        raise UsageError(
            f"{run.path}: stage {stage.name} is in epoch {begun} already; "
            f"expected that many epochs or more, got {stage.epochs}"
        )
