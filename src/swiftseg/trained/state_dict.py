"""Reading a foreign file as tensors by name, running none of what it may hold."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from swiftseg.core import SwiftsegError

NESTED_KEYS = ("state_dict", "model_state_dict", "model")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Reads a state dict onto the CPU, from a .safetensors file or one that torch.save wrote.

    A training state that holds it under one of `NESTED_KEYS` is opened, and the prefix `module.`
    of a parallel wrapper is taken off.

    Raises:
        SwiftsegError: The file is missing or damaged, needs more than tensors and plain values, or
            holds no state dict.
    """
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    state: Any = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    while nested := next((key for key in NESTED_KEYS if _holds_mapping(state, key)), None):
        state = state[nested]
    if not isinstance(state, Mapping) or not state:
        raise SwiftsegError(
            f"{path}: expected a state dict, tensors by name, got {type(state).__name__}"
        )
    strays = [str(name) for name, value in state.items() if not isinstance(value, Tensor)]
    if strays:
        raise SwiftsegError(
            f"{path}: expected a state dict, tensors by name, or one under the key "
            f"{' or '.join(NESTED_KEYS)}; it holds {', '.join(strays[:4])}"
        )
    return _without_wrapper(state)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found is None:
            raise SwiftsegError(f"{path}: damaged or not a file of torch.save") from error
        raise SwiftsegError(
            f"{path}: refused, it is a pickle that asks for {found[1]}, which may run code; "
            "save the network's state dict alone and import that"
        ) from error


def _holds_mapping(state: Any, key: str) -> bool:
    return isinstance(state, Mapping) and isinstance(state.get(key), Mapping)


def _without_wrapper(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    wrapped = all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if wrapped else name: state[name] for name in state}
