"""What the folders of trainings say about them, read without torch."""

import csv
import json
import math
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from swiftseg.core import SwiftsegError

RECIPE, METRICS, STATE = "recipe.yaml", "metrics.csv", "state.json"
# Any of these makes a folder a run's, even where the recipe is gone.
MARKS = (RECIPE, METRICS, STATE, "last.pt")


@dataclass(frozen=True)
class Run:
    """A training as its folder tells.

    Attributes:
        folder: Where it is.
        recipe: The recipe's name.
        network: Of the stage it has reached.
        stage: That stage.
        epoch: Complete epochs of it.
        epochs: Those it is to have.
        mean_iou: In 0..1, of the stage's best weights; None before the first validation.
        scored_on: What that was measured on: the validation split, or the group held out.
        hold_out: The group of the training frames that the network has not seen, or None.
        loss: Of the last epoch; None before the first.
        wall_seconds: Of all starts of the run; None where nothing tells.
        precision: Such as `bf16`.
        seed: The recipe's.
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


def find_runs(root: Path) -> list[Path]:
    """Finds the folders of runs, `root` itself among them, by name.

    Raises:
        SwiftsegError: There is no such folder, or no run in it.
    """
    if not root.is_dir():
        raise SwiftsegError(f"{root}: no such folder")
    folders = {path.parent for mark in MARKS for path in root.rglob(mark)}
    if not folders:
        raise SwiftsegError(f"{root}: no runs here; expected folders that swiftseg train has made")
    return sorted(folders)


def read_run(folder: Path) -> Run:
    """Reads one run.

    Raises:
        SwiftsegError: A file is missing or says what no training has written.
    """
    recipe = read_recipe(folder / RECIPE)
    rows = read_rows(folder / METRICS)
    state = read_state(folder / STATE)
    try:
        return make_run(folder, recipe, rows, state)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SwiftsegError(f"{folder}: {RECIPE} and {METRICS} do not fit: {error!r}") from error


def make_run(
    folder: Path, recipe: dict[str, Any], rows: list[dict[str, str]], state: dict[str, Any]
) -> Run:
    stages = {stage["name"]: stage for stage in recipe["stages"]}
    reached = rows[-1]["stage"] if rows else next(iter(stages))
    stage = stages[reached]
    epoch = int(rows[-1]["epoch"]) if rows else 0
    hold_out = recipe.get("hold_out")
    kind = "val" if hold_out is None else "held_out"
    of_stage = [row for row in rows if row["stage"] == reached]
    is_complete = reached == list(stages)[-1] and epoch == stage["epochs"]
    return Run(
        folder=folder,
        recipe=recipe["name"],
        network=stage["network"],
        stage=reached,
        epoch=epoch,
        epochs=stage["epochs"],
        mean_iou=best_mean_iou(of_stage, kind, by_loss=recipe["best"] == "loss"),
        scored_on=recipe["val_split"] if hold_out is None else hold_out,
        hold_out=hold_out,
        loss=number(rows[-1], "loss") if rows else None,
        wall_seconds=state.get("wall_seconds"),
        precision=recipe["precision"],
        seed=recipe["seed"],
        state=state_of(state, is_complete=is_complete),
    )


def best_mean_iou(rows: list[dict[str, str]], kind: str, *, by_loss: bool) -> float | None:
    """Gives the score of the epoch whose weights a run keeps as its best."""
    scored = [row for row in rows if number(row, f"{kind}/mean_iou") is not None]
    if not scored:
        return None
    sign, key = (-1, "loss") if by_loss else (1, "mean_iou")
    best = max(scored, key=lambda row: sign * (number(row, f"{kind}/{key}") or 0.0))
    return number(best, f"{kind}/mean_iou")


def state_of(state: dict[str, Any], *, is_complete: bool) -> str:
    """Tells how a run stands; one that says it runs, and has no process any more, was killed."""
    if not state:
        return "finished" if is_complete else "unknown"
    if state["state"] != "running" or state["host"] != platform.node():
        return str(state["state"])
    return "running" if is_alive(int(state["pid"])) else "killed"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def read_recipe(path: Path) -> dict[str, Any]:
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SwiftsegError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SwiftsegError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(recipe, dict):
        raise SwiftsegError(f"{path}: expected a recipe")
    return cast(dict[str, Any], recipe)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Reads one row an epoch; none where the first has not ended."""
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SwiftsegError(f"{path}: cannot be read: {error}") from error


def read_state(path: Path) -> dict[str, Any]:
    """Reads how the run stands; nothing of a run by an older swiftseg, which did not say."""
    if not path.exists():
        return {}
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return {key: state[key] for key in ("state", "host", "pid", "wall_seconds")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SwiftsegError(f"{path}: expected the state of a run ({error!r})") from error


def number(row: dict[str, str], column: str) -> float | None:
    """Reads a number of a row; None where the epoch does not have it."""
    text = row.get(column)
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None


def by_score(runs: list[Run]) -> Iterator[Run]:
    """Gives the best first, and last what has no score."""
    yield from sorted(runs, key=lambda run: -1.0 if run.mean_iou is None else run.mean_iou)[::-1]
