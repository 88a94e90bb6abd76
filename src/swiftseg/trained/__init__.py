"""Weights in files: checkpoints, .safetensors, and the networks they fill."""

from swiftseg.trained.trained_network import best_device, load_trained

__all__ = ["best_device", "load_trained"]
