"""One paper, one file; `create_model` builds a network by its name."""

from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from torch import nn

from swiftseg.core import unknown_name
from swiftseg.core.log import say
from swiftseg.layers.filling import fill_what_fits, shortened
from swiftseg.layers.input_bands import RGB, widen_input
from swiftseg.layers.tensor_file import read_state_dict
from swiftseg.models.bayesian_segnet import bayesian_segnet, bayesian_segnet_basic
from swiftseg.models.enet import ENet, ENetEncoderClassifier
from swiftseg.models.fast_scnn import FastSCNN
from swiftseg.models.fcn8s import FCN8s
from swiftseg.models.segfast import segfast, segfast_basic
from swiftseg.models.segnet import SegNet, SegNetBasic
from swiftseg.models.shelfnet import shelfnet18_lw, shelfnet34_lw, shelfnet50, shelfnet101
from swiftseg.weights import shipped_weights

NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "enet": ENet,
    "enet_encoder": ENetEncoderClassifier,
    "segnet": SegNet,
    "segnet_basic": SegNetBasic,
    "bayesian_segnet": bayesian_segnet,
    "bayesian_segnet_basic": bayesian_segnet_basic,
    "fcn8s": FCN8s,
    "segfast": segfast,
    "segfast_basic": segfast_basic,
    "shelfnet50": shelfnet50,
    "shelfnet101": shelfnet101,
    "shelfnet18_lw": shelfnet18_lw,
    "shelfnet34_lw": shelfnet34_lw,
    "fast_scnn": FastSCNN,
}

IN_CHANNELS = "in_channels"


def create_model(
    name: str,
    *,
    num_classes: int,
    in_channels: int = RGB,
    weights: str | Path | None = None,
    **options: Any,
) -> nn.Module:
    """Build a network; `forward` maps (N, in_channels, H, W) to logits (N, C, H, W).

    Args:
        name: One of `NETWORKS`.
        num_classes: C, without void.
        weights: What to start from: shipped weights by name, or a file of tensors by name. Those
            that fit by name and shape are taken; the logger `swiftseg` tells which are not, such
            as the classifier where the number of classes differs. None draws all anew.
        in_channels: Bands of the image. For others than three the first convolution is widened as
            `swiftseg.layers.input_bands` says, also where its weights are pretrained; ENet's has
            fewer filters for more bands.
        options: The named variants of that network, such as `decoder="release"` for ENet.

    Raises:
        UsageError: No network has that name, or the network no such option, or there are no such
            weights.
        ValueError: The class count or an option's value is impossible.
        SwiftsegError: The file cannot be read, or nothing of it fits.
    """
    if name not in NETWORKS:
        raise unknown_name("network", name, NETWORKS)
    if not 1 <= num_classes <= 255:
        raise ValueError(f"expected 1 to 255 classes, got {num_classes}")
    if in_channels < 1:
        raise ValueError(f"expected 1 band or more, got {in_channels}")
    parameters = signature(NETWORKS[name]).parameters
    known = parameters.keys() - {"num_classes", IN_CHANNELS}
    for option in options.keys() - known:
        raise unknown_name(f"option of {name}", option, known)
    if IN_CHANNELS in parameters:
        options[IN_CHANNELS] = in_channels
    network = NETWORKS[name](num_classes, **options)
    if in_channels != RGB and IN_CHANNELS not in parameters:
        widen_input(network, in_channels)
    if weights is not None:
        _fill(network, weights, name)
    return network


def _fill(network: nn.Module, weights: str | Path, name: str) -> None:
    shipped = shipped_weights()
    if str(weights) not in shipped and not Path(weights).is_file():
        raise unknown_name("weights", str(weights), shipped)
    path = shipped.get(str(weights), Path(weights))
    fresh = fill_what_fits(network, read_state_dict(path), f"nothing of {weights} fits {name}")
    total = len(network.state_dict())
    rest = f"; fresh: {shortened(fresh)}" if fresh else ""
    say(f"{name} starts from {weights}: {total - len(fresh)} of {total} tensors filled{rest}")


__all__ = ["NETWORKS", "create_model"]
