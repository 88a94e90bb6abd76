"""From a foreign checkpoint to weights of a network here, or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from swiftseg.core import InputSpec, LabelSet, SwiftsegError, UsageError, unknown_name
from swiftseg.importing.matching import Layer, layers_of, match_layers
from swiftseg.importing.ports import NORMALIZATIONS, Frames, Port, known_ports
from swiftseg.importing.published_labels import port_labels
from swiftseg.layers.tensor_file import SAFETENSORS, read_state_dict
from swiftseg.models import create_model
from swiftseg.trained.weights_file import Description

MOST_CLASSES = 255

# Variants that differ in their number of layers, so that an unknown port's can be told.
VARIANTS_BY_ORDER: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "enet": ({}, {"decoder": "release"}),
    "segfast": ({}, {"variant": "post_bn"}, {"variant": "release"}),
}


@dataclass(frozen=True)
class Imported:
    """Weights under our names and how they came about.

    Attributes:
        description: What the weights fill, where they come from and what they expect.
        weights: The complete state dict, float32.
        deviations: Where the port departs from the paper, and what was done about it.
        bridged: Differences of single layers that change no output, and how they were met.
        left_out: Names of tensors that only training uses.
    """

    description: Description
    weights: dict[str, Tensor]
    deviations: tuple[str, ...]
    bridged: tuple[str, ...]
    left_out: tuple[str, ...]


def import_checkpoint(
    path: Path,
    network: str,
    *,
    port: str | None = None,
    labels: LabelSet | None = None,
    size_hw: tuple[int, int] | None = None,
    normalization: str | None = None,
) -> Imported:
    """Read the state dict of a public port as weights of a network here.

    Known ports are told by the names of their layers. Any other file is matched layer by layer in
    its own order, which must be that of the paper's network here.

    Args:
        path: A .safetensors file, or one that torch.save wrote.
        network: One of `known_ports()`.
        port: The port's name, needed only where two share all names.
        labels: The classes the weights predict; None takes those of the port's published weights
            where their number is the same, else `class_0` and so on.
        size_hw: The frames they are to take (height, width); None takes about the port's.
        normalization: One of `NORMALIZATIONS`; None takes what the port is known for.

    Raises:
        UsageError: No such network, port or normalization, or one of them is needed.
        MisfitError: Tensors of either side have no counterpart.
        SwiftsegError: The file cannot be read, its port is another network than the paper's, or
            the labels are not as many as its classes.
    """
    if network not in known_ports():
        raise unknown_name("network to import", network, known_ports())
    state = read_state_dict(path)
    layers = layers_of(state)
    known = _find_port(path, network, layers, port) or _port_by_order(path, network, tuple(layers))
    left_out = tuple(name for name in state if name.startswith(known.training_only))
    theirs = layers_of({name: state[name] for name in state if name not in left_out})
    what = f"{path}: does not fill {network}, taken as {known.source}"
    num_classes = _count_classes(theirs, known, network, what)
    ours = _state_on_meta(network, num_classes, known.options)
    match = match_layers(_adapted(theirs, known), known.layers, ours, what)
    if labels is not None and len(labels) != num_classes:
        raise SwiftsegError(f"{path}: has {num_classes} classes where --labels has {len(labels)}")
    if normalization not in (None, *NORMALIZATIONS):
        raise unknown_name("normalization", normalization, NORMALIZATIONS)
    frames = NORMALIZATIONS[normalization] if normalization else known.expects
    description = Description(
        network=network,
        num_classes=num_classes,
        options=dict(known.options),
        source=known.source,
        expects=frames.text,
        input=_input_spec(path, frames, size_hw, known.size_hw),
        labels=labels or port_labels(known, num_classes),
    )
    return Imported(description, match.weights, known.deviations, tuple(match.bridged), left_out)


def _input_spec(
    path: Path, frames: Frames, asked_hw: tuple[int, int] | None, port_hw: tuple[int, int]
) -> InputSpec | None:
    """Describe the input; None where nobody knows how frames are normalized, and nobody asks."""
    if frames.mean is None or frames.std is None:
        if asked_hw is None:
            return None
        raise UsageError(
            f"{path}: its port does not say how frames are normalized; name one of "
            f"{', '.join(NORMALIZATIONS)} by --normalization"
        )
    return InputSpec(asked_hw or port_hw, frames.mean, frames.std)


def _find_port(
    path: Path, network: str, theirs: Mapping[str, Layer], asked: str | None
) -> Port | None:
    for refused in known_ports()[network].refused:
        if refused.mark in theirs:
            raise SwiftsegError(
                f"{path}: refused, {refused.source} differs from the paper's network: "
                f"{'; '.join(refused.deviations)}"
            )
    ports = known_ports()[network].ports
    by_name = {port.name: port for port in ports}
    if asked is not None:
        if asked not in by_name:
            raise unknown_name(f"port of {network}", asked, by_name)
        return by_name[asked]
    found = [port for port in ports if port.layers[0] in theirs]
    if len(found) > 1:
        names = " or ".join(port.name for port in found)
        raise UsageError(f"{path}: these names are used by several ports; give --port {names}")
    return found[0] if found else None


def _port_by_order(path: Path, network: str, layers: tuple[str, ...]) -> Port:
    """Take the variant of as many layers for what an unknown port has, or else the paper's."""
    if path.suffix == SAFETENSORS:
        raise SwiftsegError(
            f"{path}: its names are those of no known port of {network}, and a .safetensors file "
            "does not keep the order of layers to match by; save the state dict with torch.save"
        )
    variants = VARIANTS_BY_ORDER.get(network, ({},))
    sizes = [len(layers_of(_state_on_meta(network, 2, options))) for options in variants]
    index = sizes.index(len(layers)) if len(layers) in sizes else 0
    return Port(
        name="unknown",
        source="a port whose names are unknown, layer by layer",
        layers=layers,
        expects=Frames("what its training gave it; its names tell nothing"),
        options=variants[index],
        deviations=(
            "matched by order and shapes alone: activations, dilations and whatever else has no "
            "weights are taken to be the paper's",
        ),
    )


def _count_classes(theirs: Mapping[str, Layer], port: Port, network: str, what: str) -> int:
    """Read the class count where the network here shows that it stands."""
    few, more = (_state_on_meta(network, count, port.options) for count in (2, 3))
    name = next(name for name in few if few[name].shape != more[name].shape)
    axis = [a == b for a, b in zip(few[name].shape, more[name].shape, strict=True)].index(False)
    own, _, part = name.rpartition(".")
    index = list(layers_of(few)).index(own)
    layer = theirs.get(port.layers[index], {}) if index < len(port.layers) else {}
    found = part in layer and layer[part].ndim == few[name].ndim
    count = layer[part].shape[axis] if found else 0
    if count > MOST_CLASSES and len(theirs) == len(layers_of(few)):
        raise SwiftsegError(f"{what}; expected 1 to 255 classes, its classifier gives {count}")
    return count if 1 <= count <= MOST_CLASSES else 1  # where it fits nothing, matching says so


def _state_on_meta(network: str, num_classes: int, options: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return names and shapes of a network without its memory."""
    with torch.device("meta"):
        return create_model(network, num_classes=num_classes, **options).state_dict()


def _adapted(theirs: Mapping[str, Layer], port: Port) -> Mapping[str, Layer]:
    """Do to their weights what the port does elsewhere in its network."""
    adapted = {name: dict(layer) for name, layer in theirs.items()}
    for name, factor in port.scaled.items():
        layer, _, part = name.rpartition(".")
        if part in adapted.get(layer, {}):
            adapted[layer][part] = adapted[layer][part].float() * factor
    if port.bgr_input in adapted:
        first = adapted[port.bgr_input]
        first["weight"] = first["weight"].flip(1)  # (C_out, 3, kh, kw)
    return adapted
