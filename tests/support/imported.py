"""Networks from files of `swiftseg import`, with or without class names."""

from pathlib import Path

from torch import nn

from swiftseg.trained import load_trained
from swiftseg.trained.weights_file import build_described, read_description


def load_imported(path: Path) -> nn.Module:
    described = read_description(path)
    return load_trained(path)[0] if described is None else build_described(described, path)
