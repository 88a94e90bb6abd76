"""What a training writes into its run's folder with torch's help."""

import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import version

import torch
from torch.utils.tensorboard import SummaryWriter

from swiftseg.core import SwiftsegError
from swiftseg.runs import Environment, Epoch, RunFolder
from swiftseg.trained.checkpoint import save_checkpoint
from swiftseg.training.stage import StageTraining

PACKAGES = ("swiftseg", "torch", "torchvision", "accelerate", "numpy", "pillow")


def environment(
    command: Sequence[str], recipe_name: str | None = None, data: Sequence[str] = ()
) -> Environment:
    """Return how and where this process trains.

    Args:
        command: What started it.
        recipe_name: The recipe as the user named it.
        data: The data as the user named them.
    """
    return Environment(
        command=shlex.join(command),
        recipe=recipe_name,
        data=tuple(data),
        python=platform.python_version(),
        platform=platform.platform(),
        torch_threads=torch.get_num_threads(),
        gpus=tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())),
        versions={name: version(name) for name in PACKAGES},
    )


def save_epoch(run: RunFolder, training: StageTraining) -> None:
    """Write the last checkpoint, and all that is told of the epoch that has ended."""
    save_checkpoint(training.checkpoint(), run.last)
    run.write_history(training.state.history)
    write_scalars(run, training.state.history[-1])


def write_scalars(run: RunFolder, epoch: Epoch) -> None:
    """Add an epoch's numbers to TensorBoard."""
    folder = run.tensorboard / epoch.stage
    try:
        with SummaryWriter(str(folder)) as writer:
            for name, value in epoch.to_row().items():
                if isinstance(value, float):
                    writer.add_scalar(name, value, epoch.epoch)
    except OSError as error:
        raise SwiftsegError(f"cannot write {folder}: {error.strerror}") from error
