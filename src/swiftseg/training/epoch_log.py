"""Where the epochs of a training are told: its run's folder, TensorBoard, and trackers."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Self

import numpy as np
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from swiftseg.core import MissingExtraError, SwiftsegError, unknown_name
from swiftseg.recipes import Recipe
from swiftseg.runs import Epoch, RunFolder
from swiftseg.trained.checkpoint import save_checkpoint
from swiftseg.training.preset import leaves
from swiftseg.training.stage import StageTraining

PROJECT = "swiftseg"
TRACKERS = ("mlflow", "wandb")  # each is a package and an extra of that name


def check_trackers(names: Sequence[str | GeneralTracker]) -> None:
    """Raise UsageError for a tracker nobody knows, MissingExtraError for one that is missing."""
    for name in names:
        if isinstance(name, GeneralTracker):
            continue
        if name not in TRACKERS:
            raise unknown_name("tracker", name, TRACKERS)
        if find_spec(name) is None:
            raise MissingExtraError(f"--track {name}", name)


class EpochLog:
    """Writes what every epoch of a run has come to.

    TensorBoard has one writer a stage, with the numbers and the sample pictures. Trackers are those
    that the accelerator was made with; they say themselves where they write.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, accelerator: Accelerator) -> None:
        self._run, self._recipe, self._accelerator = run, recipe, accelerator
        self._stage = ""
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> Self:
        """Begin a run with each tracker; raise SwiftsegError where one refuses."""
        if self._accelerator.log_with:
            name = self._run.path.resolve().name
            # MLflow refuses values that are longer.
            config = {k: str(v)[:500] for k, v in leaves(self._recipe.model_dump(mode="json"))}
            names = {"mlflow": {"run_name": name}, "wandb": {"name": name}}
            try:
                self._accelerator.init_trackers(PROJECT, config, names)
            except Exception as error:  # a store or an account; each package has errors of its own
                told = str(error).strip()
                raise SwiftsegError(f"cannot start tracking the training: {told}") from error
        return self

    def __exit__(self, *raised: object) -> None:
        if self._writer is not None:
            self._writer.close()
        if self._accelerator.log_with:
            self._accelerator.end_training()

    def save_epoch(self, training: StageTraining) -> None:
        """Write the last checkpoint, and all that is told of the epoch that has ended.

        Raises:
            SwiftsegError: A file cannot be written.
        """
        history = training.state.history
        save_checkpoint(training.checkpoint(), self._run.last)
        self._run.write_history(history)
        self._write_to_tensorboard(history[-1])
        if self._accelerator.log_with:
            numbers: dict[str, Any] = numbers_of(history[-1])
            self._accelerator.log(numbers, step=len(history))

    def _write_to_tensorboard(self, epoch: Epoch) -> None:
        try:
            writer = self._writer_of(epoch.stage)
            for name, value in numbers_of(epoch).items():
                writer.add_scalar(name, value, epoch.epoch)
            picture = self._run.sample_picture(epoch.stage, epoch.epoch)
            if picture.is_file():
                pixels = np.asarray(Image.open(picture))
                writer.add_image("samples", pixels, epoch.epoch, dataformats="HWC")
            writer.flush()
        except OSError as error:
            folder = self._run.tensorboard
            raise SwiftsegError(f"cannot write {folder}: {error.strerror}") from error

    def _writer_of(self, stage: str) -> SummaryWriter:
        if self._writer is None or stage != self._stage:
            if self._writer is not None:
                self._writer.close()
            self._stage, self._writer = stage, SummaryWriter(str(self._run.tensorboard / stage))
        return self._writer


def numbers_of(epoch: Epoch) -> dict[str, float]:
    """Return what was measured in an epoch, under the names of metrics.csv."""
    return {name: value for name, value in epoch.to_row().items() if isinstance(value, float)}
