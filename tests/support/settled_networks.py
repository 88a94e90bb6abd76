"""Untrained networks whose labels mean something: each normalization has seen the frames."""

import numpy as np
import torch
from torch import nn

from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.data.toy_street import ToyStreet
from swiftseg.models.enet import ENet
from swiftseg.runtimes.torch_backend import FrameGraph


def street_frames(size_hw: tuple[int, int], count: int) -> np.ndarray:
    """uint8 (count, H, W, 3)."""
    return np.stack([sample.image for sample in ToyStreet("val", count, size_hw)])


def street_spec(num_classes: int, input_spec: InputSpec, **fields: object) -> ModelSpec:
    labels = LabelSet(
        names=tuple(f"class {index}" for index in range(num_classes)),
        palette=tuple((index, 2 * index, 3 * index) for index in range(num_classes)),
        ignore_index=255,
    )
    return ModelSpec(name="settled", network="enet", labels=labels, input=input_spec, **fields)


def settled_enet(input_spec: InputSpec, num_classes: int = 5, **options: str) -> ENet:
    """An ENet in eval mode with statistics of street frames, and slopes that differ by channel.

    Without the statistics its logits would be near one another or grow without bounds, and labels
    would hang on rounding.
    """
    torch.manual_seed(0)
    network = ENet(num_classes, **options)
    for module in network.modules():
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.1, 0.5)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.3, 0.9)
            nn.init.normal_(module.bias, std=0.2)
            module.momentum = None  # a plain average
    frames = torch.from_numpy(street_frames(input_spec.size_hw, 4))
    with torch.no_grad():
        FrameGraph(network.train(), input_spec, "logits")(frames)
    return network.eval()
