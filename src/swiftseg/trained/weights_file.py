"""Weights as a .safetensors file that says which network they fill."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.files import replacing
from swiftseg.importing.import_checkpoint import Imported
from swiftseg.models import create_model

METADATA_KEY = "swiftseg"


def save_weights(imported: Imported, path: Path) -> None:
    """Writes the file whole or not at all; its metadata names network, classes and source.

    Raises:
        UsageError: The path does not end in .safetensors.
        SwiftsegError: The file cannot be written.
    """
    if path.suffix != ".safetensors":
        raise UsageError(f"expected a file name that ends in .safetensors, got {path}")
    description = {
        "network": imported.network,
        "num_classes": imported.num_classes,
        "options": dict(imported.options),
        "source": imported.source,
        "expects": imported.expects,
    }
    with replacing(path) as temporary:
        save_file(imported.weights, temporary, {METADATA_KEY: json.dumps(description)})


def load_weights(path: Path, network: nn.Module) -> None:
    """Fills a network with the weights of a file, every tensor or none.

    Raises:
        SwiftsegError: The file cannot be read, or a tensor of either side has no counterpart of
            its shape.
    """
    described = _read_description(path)
    weights = _read_tensors(path)
    own = network.state_dict()
    misfits = [name for name in {**own, **weights} if _shape(own, name) != _shape(weights, name)]
    if misfits:
        name = misfits[0]
        raise SwiftsegError(
            f"{path}: holds {described['network']} with {described['num_classes']} classes; "
            f"{len(misfits)} tensors do not fit this network, such as {name}: expected "
            f"{_shape(own, name)}, got {_shape(weights, name)}"
        )
    network.load_state_dict(weights)


def load_network(path: Path) -> nn.Module:
    """Builds the network that a file describes, in eval mode, with its weights.

    Raises:
        SwiftsegError: The file cannot be read, or describes no network here.
    """
    described = _read_description(path)
    try:
        with torch.device("meta"):
            network = create_model(
                described["network"], num_classes=described["num_classes"], **described["options"]
            )
    except (TypeError, ValueError) as error:
        raise SwiftsegError(f"{path}: describes no network of this swiftseg: {error}") from error
    network.to_empty(device="cpu")
    load_weights(path, network)
    return network.eval()


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
        described = json.loads(metadata[METADATA_KEY])
        return {key: described[key] for key in ("network", "num_classes", "options")}
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise SwiftsegError(f"{path}: not a file that swiftseg import wrote") from error


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None
