"""Giving each tensor of a foreign state dict its place in a network, or naming what has none.

Layers are matched one to one, theirs in the order of ours; every shape must agree. Three
differences change no output and are bridged: a convolution bias that they lack is zero, one that
only they have goes into the mean of the batch normalization behind it, and a PReLU slope that they
share among channels is repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import torch
from torch import Tensor

from swiftseg.layers.filling import MisfitError, with_shape

Layer = Mapping[str, Tensor]  # by what follows the last dot: weight, bias, running_mean, ...

COUNTER = "num_batches_tracked"  # of training steps; nothing here averages by it


@dataclass
class LayerMatch:
    """What matching finds.

    Attributes:
        weights: A complete state dict under our names, float32.
        bridged: What was done where layers differ without changing an output, a line each.
    """

    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    bridged: list[str] = field(default_factory=list[str])


def layers_of(state: Mapping[str, Tensor]) -> dict[str, Layer]:
    """Group a state dict by layer, in its order; counters of training steps are left out."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        layer, _, part = name.rpartition(".")
        if part != COUNTER:
            layers.setdefault(layer, {})[part] = tensor
    return dict(layers)


def match_layers(
    theirs: Mapping[str, Layer], order: Sequence[str], ours: Mapping[str, Tensor], what: str
) -> LayerMatch:
    """Fill our state dict with their layers, taken in the order of ours.

    `what` names file and network in errors.

    Raises:
        MisfitError: A tensor of either side has no counterpart of its shape.
    """
    our_layers = layers_of(ours)
    match = LayerMatch()
    homeless = [name for layer in theirs if layer not in order for name in _listed(layer, theirs)]
    missing: list[str] = []
    for own, name in zip_longest(our_layers, order):
        if own and name in theirs and _fits(theirs[name], our_layers[own]):
            _fill(match, own, our_layers[own], name, theirs[name])
            continue
        homeless += _listed(name, theirs)
        missing += _listed(own, our_layers)
    homeless += _move_biases(match, list(our_layers), ours)
    if homeless or missing:
        raise MisfitError(what, homeless=homeless, missing=missing)
    filled = match.weights | {name: torch.tensor(0) for name in ours if name.endswith(COUNTER)}
    match.weights = {name: filled[name] for name in ours}
    return match


def _fits(theirs: Layer, ours: Layer) -> bool:
    """Whether one layer can fill another; biases of convolutions may be absent on a side."""
    if not all(tensor.is_floating_point() for tensor in theirs.values()):
        return False
    if _is_slope(ours) and set(theirs) == {"weight"} and theirs["weight"].numel() == 1:
        return True
    weight = ours.get("weight")
    optional = {"bias"} if weight is not None and weight.ndim == 4 else set[str]()
    shared = set(theirs) & set(ours)
    return set(theirs) ^ set(ours) <= optional and all(
        theirs[part].shape == ours[part].shape for part in shared
    )


def _is_slope(layer: Layer) -> bool:
    return set(layer) == {"weight"} and layer["weight"].ndim == 1


def _fill(match: LayerMatch, own: str, ours: Layer, name: str, theirs: Layer) -> None:
    for part, tensor in theirs.items():
        match.weights[f"{own}.{part}"] = tensor.float().contiguous()
    if "bias" in ours and "bias" not in theirs:
        match.weights[f"{own}.bias"] = torch.zeros(ours["bias"].shape)
        match.bridged.append(f"{name} has no bias: zero")
    if _is_slope(ours) and theirs["weight"].shape != ours["weight"].shape:
        slope = match.weights[f"{own}.weight"].flatten()
        match.weights[f"{own}.weight"] = slope.repeat(len(ours["weight"]))
        match.bridged.append(f"{name} has one slope: repeated for each channel")
    if "bias" in theirs and "bias" not in ours:
        match.bridged.append(f"{name} has a bias: moved into the mean of the next normalization")


def _move_biases(match: LayerMatch, our_layers: list[str], ours: Mapping[str, Tensor]) -> list[str]:
    """Take biases that ours lack off the means behind them; return those with no mean behind."""
    stuck: list[str] = []
    for own, behind in zip_longest(our_layers, our_layers[1:]):
        bias, mean = f"{own}.bias", f"{behind}.running_mean"
        if bias in ours or bias not in match.weights:
            continue
        shift = match.weights.pop(bias)
        if mean in match.weights and match.weights[mean].shape == shift.shape:
            match.weights[mean] = match.weights[mean] - shift
        else:
            stuck.append(f"the bias for {own} {tuple(shift.shape)}")
    return stuck


def _listed(layer: str | None, layers: Mapping[str, Layer]) -> list[str]:
    if layer is None:
        return []
    parts = layers.get(layer, {})
    return [with_shape(f"{layer}.{part}".lstrip("."), tensor) for part, tensor in parts.items()]
