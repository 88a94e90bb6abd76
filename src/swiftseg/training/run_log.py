"""How and where a training runs, as its run's folder notes it."""

import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from swiftseg.runs import Environment

PACKAGES = ("swiftseg", "torch", "torchvision", "accelerate", "numpy", "pillow")


def environment(
    command: Sequence[str],
    recipe_name: str | None = None,
    data: Sequence[str] = (),
    weights: Path | None = None,
) -> Environment:
    """Return how and where this process trains."""
    return Environment(
        command=shlex.join(command),
        recipe=recipe_name,
        data=tuple(data),
        weights=None if weights is None else str(weights.absolute()),
        python=platform.python_version(),
        platform=platform.platform(),
        torch_threads=torch.get_num_threads(),
        gpus=tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())),
        versions={name: version(name) for name in PACKAGES},
    )
