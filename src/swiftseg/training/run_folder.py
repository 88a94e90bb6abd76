"""The folder a training leaves behind, made for a person to read."""

import csv
import json
import platform
import shlex
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
from swiftseg.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from swiftseg.training.recipe import Recipe

PACKAGES = ("swiftseg", "torch", "torchvision", "accelerate", "numpy", "pillow")

Row = dict[str, Any]


class RunFolder:
    """`recipe.yaml`, `environment.json`, `metrics.csv`, `samples/`, TensorBoard, checkpoints."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = path / "last.pt"
        self.best = path / "best.pt"

    def start(self, recipe: Recipe, command: list[str]) -> None:
        """Writes what is known before the first step.

        Raises:
            SwiftsegError: The folder cannot be written, or holds another run.
        """
        if self.last.exists() or self.best.exists():
            raise SwiftsegError(
                f"{self.path}: holds a run already; go on with it by --resume, "
                "or choose another folder"
            )
        write_text(self.path / "recipe.yaml", yaml.safe_dump(recipe.model_dump(mode="json")))
        environment = {
            "command": shlex.join(command),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "torch_threads": torch.get_num_threads(),
            "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
            "versions": {name: version(name) for name in PACKAGES},
        }
        write_text(self.path / "environment.json", json.dumps(environment, indent=2) + "\n")

    def resume(self, recipe: Recipe) -> Checkpoint:
        """Reads where the run stopped.

        Raises:
            UsageError: There is nothing to resume, or the run has another recipe.
        """
        if not self.last.exists():
            raise UsageError(f"{self.path}: nothing to resume, there is no {self.last.name}")
        checkpoint = load_checkpoint(self.last)
        stored, given = checkpoint.recipe.model_dump(), recipe.model_dump()
        differing = [key for key in stored if stored[key] != given[key]]
        if differing:
            raise UsageError(
                f"{self.path}: the run was started with another recipe, which differs in "
                f"{', '.join(differing)}; resume with the same recipe and --set values"
            )
        return checkpoint

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
        with SummaryWriter(str(self.path / "tensorboard" / str(row["stage"]))) as writer:
            for name, value in row.items():
                if isinstance(value, float):
                    writer.add_scalar(name, value, step)

    def write_samples(self, stage: str, epoch: int, rows: list[list[np.ndarray]]) -> None:
        """Writes pictures uint8 (H, W, 3) as one PNG: a row a frame."""
        picture = np.vstack([np.hstack(row) for row in rows])
        with replacing(self.path / "samples" / f"{stage}_{epoch:04d}.png") as temporary:
            Image.fromarray(picture).save(temporary)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
