"""Networks whose labels mean something: they have seen street frames, or have learned from some."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.data.toy_street import ToyStreet
from swiftseg.models.enet import ENet
from swiftseg.runtimes.torch_backend import FrameGraph
from tests.support.networks import modules_of


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


def settle_norms(network: nn.Module, size_hw: tuple[int, int]) -> None:
    """Takes batch statistics from street frames, so that no map vanishes or overflows in eval."""
    norms = modules_of(network, nn.BatchNorm2d)
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            frames = torch.from_numpy(street_frames(size_hw, 2))
            FrameGraph(network.train(), InputSpec(size_hw), "logits")(frames)


def train_on_streets(network: nn.Module, steps: int = 60) -> None:
    """Trains on four tiny frames: seconds for SegNet-Basic, and more than half are labeled right.

    The network has the classes of `ToyStreet`.
    """
    streets = ToyStreet("train", 4, (48, 64))
    frames = torch.from_numpy(np.stack([sample.image for sample in streets]))
    masks = torch.from_numpy(np.stack([sample.mask for sample in streets])).long()
    graph = FrameGraph(network.train(), InputSpec((48, 64)), "logits")
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(steps):
        logits = graph.logits(frames)
        loss = F.cross_entropy(logits, masks, ignore_index=streets.labels.ignore_index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
