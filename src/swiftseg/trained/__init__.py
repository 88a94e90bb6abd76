"""Weights in files: checkpoints, .safetensors, and the networks they fill.

Everything here takes paths; which file a name stands for is known elsewhere.
"""

from swiftseg.trained.checkpoint import Checkpoint, load_checkpoint
from swiftseg.trained.trained_networks import (
    load_trained,
    read_weights,
    torch_device,
)
from swiftseg.trained.weights_file import Description, save_weights

__all__ = [
    "Checkpoint",
    "Description",
    "load_checkpoint",
    "load_trained",
    "read_weights",
    "save_weights",
    "torch_device",
]
