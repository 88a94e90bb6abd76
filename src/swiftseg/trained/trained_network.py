"""Networks with trained weights: what teaches, and what torch runs."""

from pathlib import Path

import torch
from torch import nn

from swiftseg.core import ModelSpec, UsageError, unknown_name
from swiftseg.inference.model_path import CHECKPOINT_SUFFIXES
from swiftseg.models import create_model
from swiftseg.runtimes.model_file import read_spec
from swiftseg.trained.checkpoint import load_network
from swiftseg.trained.initial_weights import read_initial_weights
from swiftseg.weights import shipped_models, shipped_weights


def load_trained(model: str) -> tuple[nn.Module, ModelSpec]:
    """Reads a checkpoint, or shipped weights with the description in the model beside them.

    Torch's random state stays as it is. The network is in eval mode.

    Args:
        model: A checkpoint's path, or the name of shipped weights.

    Raises:
        UsageError: There are no weights of that name, or it is a file of another kind.
        SwiftsegError: The checkpoint is missing or damaged.
    """
    path = Path(model)
    # Building a network draws weights that are replaced at once.
    with torch.random.fork_rng(devices=[]):
        if path.suffix in CHECKPOINT_SUFFIXES:
            return load_network(path)
        if model not in shipped_weights():
            if path.suffix:
                raise UsageError(
                    f"{model}: expected a checkpoint (.pt) or the name of shipped weights "
                    f"({', '.join(shipped_weights())})"
                )
            raise unknown_name("weights", model, shipped_weights())
        spec = read_spec(shipped_models()[model])
        network = create_model(spec.network, num_classes=len(spec.labels))
        network.load_state_dict(read_initial_weights(shipped_weights()[model]))
        return network.eval(), spec


def best_device() -> torch.device:
    """Gives the machine's accelerator, such as its first GPU, or the CPU where there is none."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return found or torch.device("cpu")
