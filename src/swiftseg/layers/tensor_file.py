"""Files of tensors, read without running anything that they may hold."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from swiftseg.core import SwiftsegError

SAFETENSORS = ".safetensors"
NESTED_KEYS = ("state_dict", "model_state_dict", "model")


def read_tensor_file(path: Path) -> Any:
    """Read onto the CPU what a .safetensors file holds, or one that torch.save wrote.

    Raises:
        SwiftsegError: The file is missing or damaged, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    if path.suffix == SAFETENSORS:
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can fail in any way
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found is None:
            raise SwiftsegError(
                f"{path}: refused, it is damaged or not a file of torch.save and cannot be read"
            ) from error
        raise SwiftsegError(
            f"{path}: refused, it is a pickle that asks for {found[1]}, which may run code, and "
            "cannot be read safely; save the network's state dict alone"
        ) from error


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors by name onto the CPU, from a .safetensors file or one that torch.save wrote.

    Raises:
        SwiftsegError: As `read_tensor_file`, or the file holds no state dict.
    """
    return state_dict_in(read_tensor_file(path), path)


def state_dict_in(state: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors by name in what was read from `path`.

    A training state that holds them under one of `NESTED_KEYS` is opened, and the prefix `module.`
    of a parallel wrapper is taken off.

    Raises:
        SwiftsegError: It holds no state dict.
    """
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
    wrapped = all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if wrapped else name: state[name] for name in state}


def _holds_mapping(state: Any, key: str) -> bool:
    return isinstance(state, Mapping) and isinstance(state.get(key), Mapping)
