"""The networks of `speed.py` as a GPU likes them: folded, cut before the last upsampling."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.gpu.weight_shards import read_run
from swiftseg.models import create_model
from swiftseg.models.enet import ENet
from swiftseg.models.fast_scnn import FastSCNN
from swiftseg.models.segnet import SegNet
from swiftseg.models.shelfnet import SBlock, ShelfNet, reduced

SHIPPED = Path(__file__).parents[2] / "src/swiftseg/weights"
SHIPPED_WEIGHTS = {"enet": "enet-camvid", "fast_scnn": "fast_scnn-camvid"}
TRAINED_RUNS = {"segnet": "segnet paper", "shelfnet50": "shelfnet50 paper"}
HEADS = ("decoder.fullconv.", "classifier.3.", "classifier.")
NOISE = 0.05


def build(name: str, num_classes: int, family: Path | None) -> tuple[nn.Module, str]:
    """Build a network with the best weights at hand; say where they come from.

    Args:
        name: A network of swiftseg.
        num_classes: Classes that the weights lack get the heads of others, shaken a little.
        family: The folder that `train_family.py` wrote, or None.
    """
    torch.manual_seed(0)
    network = create_model(name, num_classes=num_classes)
    weights: dict[str, Tensor] = {}
    origin = "random weights, settled on generated frames"
    if name in SHIPPED_WEIGHTS:
        weights = load_file(SHIPPED / f"{SHIPPED_WEIGHTS[name]}.safetensors")
        origin = f"the shipped {SHIPPED_WEIGHTS[name]}"
    elif family is not None and name in TRAINED_RUNS:
        with suppress(KeyError):
            weights, origin = read_run(family, TRAINED_RUNS[name]), TRAINED_RUNS[name]
    own = network.state_dict()
    fitting = {key: widened(value, own[key]) for key, value in weights.items() if key in own}
    network.load_state_dict(fitting, strict=False)
    if not fitting:
        settle(network)
    return network.eval(), origin


def widened(given: Tensor, own: Tensor) -> Tensor:
    """Repeat a head's classes, shaken, until it has as many as the network's."""
    if given.shape == own.shape:
        return given
    axis = next(i for i, (a, b) in enumerate(zip(given.shape, own.shape, strict=True)) if a != b)
    chosen = torch.arange(own.shape[axis]) % given.shape[axis]
    repeated = given.float().index_select(axis, chosen)
    shaken = repeated + NOISE * given.float().std() * torch.randn_like(repeated)
    first = given.shape[axis]
    kept = [slice(None)] * given.dim()
    kept[axis] = slice(0, first)
    shaken[tuple(kept)] = given.float()
    return shaken


@torch.no_grad()
def settle(network: nn.Module) -> None:
    """Give random weights statistics of normalization that keep values in range."""
    network.train()
    for _ in range(3):
        network(torch.rand(2, 3, 64, 96))


def folded(network: nn.Module) -> nn.Module:
    """Copy a network in eval mode with batch normalization folded into its convolutions."""
    network = deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, SBlock):
            fold_s_block(module)
        elif isinstance(module, nn.Sequential):
            fold_sequence(module)
        else:
            fold_named(module)
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout | nn.Dropout2d):
                setattr(module, name, nn.Identity())
    return network.requires_grad_(False)


Convolution = nn.Conv2d | nn.ConvTranspose2d


def fuse(conv: Convolution, norm: nn.BatchNorm2d) -> nn.Module:
    return fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))


def fold_sequence(sequence: nn.Sequential) -> None:
    """Fold each normalization that follows a convolution; bare chains inside are looked into."""
    names = list(sequence._modules)
    for name, following in pairwise(names):
        norm = sequence._modules[following]
        holder, key = last_convolution(sequence, name)
        if isinstance(norm, nn.BatchNorm2d) and holder is not None:
            holder._modules[key] = fuse(cast(Convolution, holder._modules[key]), norm)
            sequence._modules[following] = nn.Identity()


def last_convolution(sequence: nn.Sequential, name: str) -> tuple[nn.Sequential | None, str]:
    """Find the convolution that a child ends with, and the sequence that holds it."""
    child = sequence._modules[name]
    if isinstance(child, Convolution):
        return sequence, name
    if isinstance(child, nn.Sequential) and len(child):
        return last_convolution(child, list(child._modules)[-1])
    return None, ""


def fold_named(module: nn.Module) -> None:
    """Fold torchvision's `conv1` and `bn1`, and so on, of a ResNet."""
    for index in range(1, 4):
        conv, norm = getattr(module, f"conv{index}", None), getattr(module, f"bn{index}", None)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, f"conv{index}", fuse(conv, norm))
            setattr(module, f"bn{index}", nn.Identity())


def fold_s_block(block: SBlock) -> None:
    """Give both uses of ShelfNet's shared convolution a folded one of their own."""
    first, second = cast(nn.Conv2d, block.convs[0]), cast(nn.Conv2d, block.convs[-1])
    block.convs = nn.ModuleList((fuse(first, block.norm_1), fuse(second, block.norm_2)))
    block.norm_1 = cast(nn.BatchNorm2d, nn.Identity())
    block.norm_2 = cast(nn.BatchNorm2d, nn.Identity())


def enet_features(network: ENet, image: Tensor) -> Tensor:
    """Run ENet up to its last transposed convolution: (N, 16, H/2, W/2)."""
    features, switches_1, switches_2 = network.encoder(image)
    decoder = network.decoder
    x = decoder.stage_4(decoder.up_4(features, switches_2))
    return decoder.stage_5(decoder.up_5(x, switches_1))


def fast_scnn_scores(network: FastSCNN, image: Tensor) -> Tensor:
    """Run Fast-SCNN up to its last upsampling: (N, C, H/8, W/8)."""
    detail, context = network.features(image)
    return network.classifier(network.feature_fusion(detail, context))


def shelfnet_scores(network: ShelfNet, image: Tensor) -> Tensor:
    """Run ShelfNet up to its last upsampling: (N, C, H/4, W/4)."""
    column_4 = network.shelf(reduced(network.backbone(image), network.reductions))
    return network.classifier(column_4[0])


def segnet_scores(network: SegNet, image: Tensor) -> Tensor:
    """Run all of SegNet: (N, C, H, W)."""
    return network(image)


BEFORE_THE_HEAD: dict[str, Callable[..., Tensor]] = {
    "enet": enet_features,
    "fast_scnn": fast_scnn_scores,
    "shelfnet50": shelfnet_scores,
    "segnet": segnet_scores,
}
ALIGNS_CORNERS = {"shelfnet50": True}
