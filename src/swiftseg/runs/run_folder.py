"""The folder that a training leaves behind, made for a person to read."""

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import yaml

from swiftseg.core import SwiftsegError
from swiftseg.core.files import save_picture, write_file
from swiftseg.core.schema import Section, read_json
from swiftseg.recipes.recipe import Recipe
from swiftseg.recipes.recipe_file import load_recipe
from swiftseg.runs.history import Epoch, read_epochs, write_epochs
from swiftseg.runs.lock import locked

RECIPE, METRICS, STATE, LAST = "recipe.yaml", "metrics.csv", "state.json", "last.pt"

# Any of these makes a folder a run's, even where the recipe is gone.
MARKS = (RECIPE, METRICS, STATE, LAST)

# What is written before the first step; everything else is the work of a training.
BEFORE_FIRST_STEP = (RECIPE, "environment.json", STATE)

# All that a run leaves, whatever its stages are called.
OWN_FILES = (
    *BEFORE_FIRST_STEP,
    METRICS,
    LAST,
    "best.pt",
    "best_*.pt",
    "tensorboard",
    "samples",
    "model.onnx",
    "report.html",
)


class Environment(Section):
    """How a run was started, and where.

    Attributes:
        recipe: The recipe as the user named it; None in runs of older versions.
        data: The data as the user named them, with absolute paths.
        weights: What the run started from; None where that was nothing.
        torch_threads: How many threads torch used.
        versions: By package.
    """

    command: str
    recipe: str | None = None
    data: tuple[str, ...] = ()
    weights: str | None = None
    python: str
    platform: str
    torch_threads: int
    gpus: tuple[str, ...]
    versions: dict[str, str]


class RunFolder:
    """The names of all files of a run, and the reading and writing of those that need no torch.

    Attributes:
        last: The checkpoint that a resume goes on from.
        best: The best weights of the last stage.
        recipe: The resolved recipe.
        environment: How the run was started; see `Environment`.
        state: How the run stands; see `swiftseg.runs.state`.
        tensorboard: The folder of TensorBoard's logs.
        model: The exported model.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = path / LAST
        self.best = path / "best.pt"
        self.recipe = path / RECIPE
        self.environment = path / "environment.json"
        self.metrics = path / METRICS
        self.state = path / STATE
        self.tensorboard = path / "tensorboard"
        self.samples = path / "samples"
        self.model = path / "model.onnx"
        self.report = path / "report.html"

    def stage_best(self, recipe: Recipe, index: int) -> Path:
        """Return where the best weights of a stage are; those of the last are the run's."""
        is_last = index == len(recipe.stages) - 1
        return self.best if is_last else self.path / f"best_{recipe.stages[index].name}.pt"

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from writing to the folder; see `swiftseg.runs.lock`."""
        return locked(self.path / ".lock")

    def found(self) -> list[Path]:
        """Return what a run has left here."""
        return [path for pattern in OWN_FILES for path in sorted(self.path.glob(pattern))]

    def start(self, recipe: Recipe, environment: Environment, *, overwrite: bool = False) -> None:
        """Write what is known before the first step.

        `overwrite` removes what an earlier run left in the folder; other files stay.

        Raises:
            SwiftsegError: The folder cannot be written, or holds another run.
        """
        left = self.found()
        if left and not overwrite:
            raise SwiftsegError(
                f"{self.path}: holds a run already; continue it with --resume, start over "
                "with --overwrite, or choose another folder with --out"
            )
        for path in left:
            _remove(path)
        self.sweep()
        self.write_recipe(recipe)
        write_file(self.environment, environment.model_dump_json(indent=2) + "\n")

    def refuse_lost_work(self) -> None:
        """Raise SwiftsegError where `last` is missing and results of a training are there.

        A resume would have to start anew, and would write over them.
        """
        work = [path for path in self.found() if path.name not in BEFORE_FIRST_STEP]
        if work and not self.last.exists():
            names = ", ".join(path.name for path in work)
            raise SwiftsegError(
                f"{self.path}: cannot resume without {LAST}, and {names} would be lost; "
                "start over with --overwrite, or choose another folder with --out"
            )

    def sweep(self) -> None:
        """Remove what was being written when a run was killed."""
        for name in OWN_FILES:
            stem, dot, suffix = name.rpartition(".")
            if dot:  # as `replacing` names its temporary files
                for path in self.path.glob(f".{stem}-*.{suffix}"):
                    _remove(path)

    def read_recipe(self) -> Recipe:
        """Read the recipe that the run was started with.

        Raises:
            UsageError: There is none, or it is damaged.
        """
        return load_recipe(str(self.recipe))

    def write_recipe(self, recipe: Recipe) -> None:
        """Write the resolved recipe."""
        write_file(self.recipe, yaml.safe_dump(recipe.model_dump(mode="json")))

    def read_environment(self) -> Environment | None:
        """Read how the run was started; None where the folder does not tell.

        Raises:
            SwiftsegError: The file is damaged.
        """
        if not self.environment.is_file():
            return None
        return read_json(self.environment, Environment, "not a run's")

    def read_history(self) -> list[Epoch]:
        """Read all epochs so far: none where the first has not ended; as `read_epochs`."""
        return read_epochs(self.metrics) if self.metrics.exists() else []

    def write_history(self, epochs: list[Epoch]) -> None:
        """Write all epochs so far."""
        write_epochs(self.metrics, epochs)

    def write_samples(self, stage: str, epoch: int, rows: list[list[np.ndarray]]) -> None:
        """Write pictures uint8 (H, W, 3) as one PNG: a row a frame, black beside smaller ones."""
        joined = [np.hstack(row) for row in rows]
        width = max(row.shape[1] for row in joined)
        picture = np.vstack(
            [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in joined]
        )
        save_picture(self.sample_picture(stage, epoch), picture)

    def sample_picture(self, stage: str, epoch: int) -> Path:
        """Return the file of an epoch's pictures."""
        return self.samples / f"{stage}_{epoch:04d}.png"


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise SwiftsegError(f"cannot remove {path}: {error.strerror}") from error
