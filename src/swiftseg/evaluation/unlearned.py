"""What a network has not learned, why that may be, and what to try next."""

import math
import shlex
from pathlib import Path

import numpy as np

from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.recipes import Recipe
from swiftseg.runs import Epoch, RunFolder, best_epoch
from swiftseg.runs.history import score_of

NEARLY_ALL = 0.999  # of the pixels, above which a network predicts one class alone
LATE = 0.75  # of the validations: a best score after it means that more epochs may better it
FEWEST_EPOCHS = 20
LARGER = 1.5
STRIDE = 32  # sizes that it divides waste nothing at the borders
SHOWN = 6


def unlearned(evaluation: Evaluation) -> str | None:
    """Say which class is predicted alone, or which are never predicted though they occur."""
    true, predicted = evaluation.matrix.sum(axis=1), evaluation.matrix.sum(axis=0)
    names = np.array(evaluation.labels.names)
    if np.count_nonzero(true) > 1 and predicted.max() >= NEARLY_ALL * predicted.sum():
        return f"the network predicts {names[predicted.argmax()]} alone"
    never = names[(true > 0) & (predicted == 0)].tolist()
    if not never:
        return None
    more = f" and {len(never) - SHOWN} more" if len(never) > SHOWN else ""
    return f"never predicted, though they occur: {', '.join(never[:SHOWN])}{more}"


def training_advice(
    evaluation: Evaluation, run: Path, frame_hw: tuple[int, int] | None = None
) -> list[str]:
    """Return what a training has not learned, the likely causes in their order, and a line to type.

    Args:
        evaluation: Of the run's best weights.
        run: The run's folder.
        frame_hw: The size (height, width) of the frames it was scored on, where it is known.

    Returns:
        Lines; none where every class that occurs is predicted.

    Raises:
        SwiftsegError: The folder is no run's, or a file in it is damaged.
    """
    problem = unlearned(evaluation)
    if problem is None:
        return []
    folder = RunFolder(run)
    recipe, epochs = folder.read_recipe(), folder.read_history()
    height, width = recipe.input.size_hw
    best_at_end = _is_best_at_end(recipe, epochs)
    never_better = ", and the score was never better than at the end" if best_at_end else ""
    weights = recipe.class_weights
    trained = f"{len(epochs)} epoch{'s' * (len(epochs) != 1)}"
    weighted = f"they are {weights.name}'s" if weights else "there are none"
    return [
        f"warning: {problem}; likely causes, in this order:",
        f"  1. too few steps: {trained}{never_better}",
        f"  2. the network's input of {height}x{width} shows the objects too small",
        f"  3. the class weights of the loss: {weighted}",
        "  4. names or values that are swapped between the masks and the description of the data",
        f"try next: {_line_to_try(recipe, folder, frame_hw, best_at_end=best_at_end)}",
    ]


def _is_best_at_end(recipe: Recipe, epochs: list[Epoch]) -> bool:
    """Whether no earlier validation of the last stage has a better score than the last ones."""
    own = [epoch for epoch in epochs if epoch.stage == recipe.stages[-1].name]
    scored = [epoch for epoch in own if epoch.val_mean_iou is not None]
    late = scored[math.ceil(LATE * (len(scored) - 1)) :]
    best, best_late = (best_epoch(part, recipe.best) for part in (scored, late))
    if best is None or best_late is None:
        return True
    return score_of(best_late, recipe.best) == score_of(best, recipe.best)


def _line_to_try(
    recipe: Recipe, folder: RunFolder, frame_hw: tuple[int, int] | None, *, best_at_end: bool
) -> str:
    """Return a command against the first cause that is not ruled out."""
    run, stage = shlex.quote(str(folder.path)), recipe.stages[-1]
    if best_at_end:
        more = max(2 * stage.epochs, FEWEST_EPOCHS)
        last = len(recipe.stages) - 1
        longer = f"--epochs {more}" if not last else f"--set stages.{last}.epochs={more}"
        return f"swiftseg train --resume {run} {longer}"
    environment = folder.read_environment()
    source = (environment.recipe if environment else None) or stage.network
    data = environment.data if environment and environment.data else ("DIR",)
    options = " ".join(f"--data {shlex.quote(name)}" for name in data)
    again = f"swiftseg train {shlex.quote(source)} {options}"
    larger = [round(LARGER * side / STRIDE) * STRIDE for side in recipe.input.size_hw]
    if frame_hw is not None and larger[0] <= frame_hw[0] and larger[1] <= frame_hw[1]:
        return f"{again} --size {larger[0]}x{larger[1]} --out {run}_larger"
    if recipe.class_weights is None:
        return f"{again} --set class_weights.name=enet --out {run}_weighted"
    return f"swiftseg data check {shlex.quote(data[0].rpartition('=')[2])}"
