"""The folder a training leaves behind, made for a person to read."""

import csv
import json
import platform
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.files import replacing
from swiftseg.recipes.recipe import Recipe
from swiftseg.recipes.recipe_file import load_recipe
from swiftseg.trained.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

PACKAGES = ("swiftseg", "torch", "torchvision", "accelerate", "numpy", "pillow")

# What a run writes, whatever its stages are called.
OWN_FILES = (
    "last.pt",
    "best.pt",
    "best_*.pt",
    "metrics.csv",
    "recipe.yaml",
    "environment.json",
    "state.json",
    "tensorboard",
    "samples",
)

# What `replacing` leaves of them when it is killed.
HALF_WRITTEN = (".last-*.pt", ".best*-*.pt", ".metrics-*.csv", ".state-*.json")

Row = dict[str, Any]


class RunFolder:
    """`recipe.yaml`, `environment.json`, `metrics.csv`, `samples/`, TensorBoard, checkpoints."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = path / "last.pt"
        self.best = path / "best.pt"
        self.recipe = path / "recipe.yaml"
        self.state = path / "state.json"

    def start(self, recipe: Recipe, command: list[str], *, overwrite: bool = False) -> None:
        """Writes what is known before the first step.

        Args:
            recipe: Resolved.
            command: What started the run.
            overwrite: Remove what an earlier run has left in the folder; other files stay.

        Raises:
            SwiftsegError: The folder cannot be written, or holds another run.
        """
        left = [path for pattern in OWN_FILES for path in self.path.glob(pattern)]
        if left and not overwrite:
            raise SwiftsegError(
                f"{self.path}: holds a run already; go on with it by --resume, start over by "
                "--overwrite, or choose another folder by --out"
            )
        for path in left:
            remove(path)
        self.sweep()
        write_text(self.recipe, yaml.safe_dump(recipe.model_dump(mode="json")))
        environment = {
            "command": shlex.join(command),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "torch_threads": torch.get_num_threads(),
            "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
            "versions": {name: version(name) for name in PACKAGES},
        }
        write_text(self.path / "environment.json", json.dumps(environment, indent=2) + "\n")

    def resume(self, recipe: Recipe) -> Checkpoint | None:
        """Reads where the run stopped; None where it was killed before its first checkpoint.

        Raises:
            UsageError: There is nothing to resume, or the run has another recipe.
        """
        checkpoint = load_checkpoint(self.last) if self.last.exists() else None
        stored = (checkpoint.recipe if checkpoint else self.stored_recipe()).model_dump()
        given = recipe.model_dump()
        differing = [key for key in stored if stored[key] != given[key]]
        if differing:
            raise UsageError(
                f"{self.path}: the run was started with another recipe, which differs in "
                f"{', '.join(differing)}; resume with the same recipe and --set values"
            )
        return checkpoint

    def sweep(self) -> None:
        """Removes what was being written when a run was killed."""
        for name in HALF_WRITTEN:
            for path in self.path.glob(name):
                remove(path)

    def stored_recipe(self) -> Recipe:
        """Reads the recipe that the run was started with."""
        if not self.recipe.exists():
            raise UsageError(f"{self.path}: nothing to resume, there is no run here")
        return load_recipe(str(self.recipe))

    def stage_best(self, stage: str) -> Path:
        """Gives the path of the best weights of a stage that is not the last."""
        return self.path / f"best_{stage}.pt"

    def save_last(self, checkpoint: Checkpoint) -> None:
        save_checkpoint(checkpoint, self.last)

    def write_history(self, history: list[Row]) -> None:
        """Writes all epochs so far as CSV."""
        columns = list(dict.fromkeys(key for row in history for key in row))
        with (
            replacing(self.path / "metrics.csv") as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(history)

    def write_scalars(self, row: Row, step: int) -> None:
        """Adds an epoch's numbers to TensorBoard."""
        folder = self.path / "tensorboard" / str(row["stage"])
        try:
            with SummaryWriter(str(folder)) as writer:
                for name, value in row.items():
                    if isinstance(value, float):
                        writer.add_scalar(name, value, step)
        except OSError as error:
            raise SwiftsegError(f"cannot write {folder}: {error.strerror}") from error

    def write_samples(self, stage: str, epoch: int, rows: list[list[np.ndarray]]) -> None:
        """Writes pictures uint8 (H, W, 3) as one PNG: a row a frame."""
        picture = np.vstack([np.hstack(row) for row in rows])
        with replacing(self.path / "samples" / f"{stage}_{epoch:04d}.png") as temporary:
            Image.fromarray(picture).save(temporary)


def remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise SwiftsegError(f"cannot remove {path}: {error.strerror}") from error


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
