"""Networks with trained weights: what teaches, and what torch runs."""

from pathlib import Path

import torch
from torch import nn

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.models import create_model
from swiftseg.runtimes.model_file import read_spec
from swiftseg.trained.checkpoint import load_network
from swiftseg.trained.initial_weights import CHECKPOINT_SUFFIXES, read_initial_weights


def load_trained(path: Path) -> tuple[nn.Module, ModelSpec]:
    """Read a checkpoint, or a .safetensors file whose description is in the .onnx file beside it.

    Torch's random state stays as it is. The network is in eval mode.

    Raises:
        SwiftsegError: The file is missing or damaged, or nothing describes it.
    """
    # Building a network draws weights that are replaced at once.
    with torch.random.fork_rng(devices=[]):
        if path.suffix in CHECKPOINT_SUFFIXES:
            return load_network(path)
        exported = path.with_suffix(".onnx")
        if not exported.is_file():
            raise SwiftsegError(f"{path}: nothing says which network and classes these weights are")
        spec = read_spec(exported)
        network = create_model(spec.network, num_classes=len(spec.labels))
        network.load_state_dict(read_initial_weights(path))
        return network.eval(), spec


def best_device() -> torch.device:
    """Gives the machine's accelerator, such as its first GPU, or the CPU where there is none."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return found or torch.device("cpu")
