"""What a network costs, counted without computing it: networks and images on the meta device."""

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameter_count(build: Callable[[], nn.Module]) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def conv_gflops(build: Callable[[], nn.Module], size_hw: tuple[int, int]) -> float:
    """Twice the multiply-accumulates of all convolutions for one image, in 1e9."""
    with torch.device("meta"):
        network, image = build().eval(), torch.empty(1, 3, *size_hw)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return counter.get_flop_counts()["Global"][torch.ops.aten.convolution] / 1e9
