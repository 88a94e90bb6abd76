"""Weights in files: checkpoints, .safetensors, and the networks they fill."""
