"""Files of tensors, read without running anything that they may hold."""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from swiftseg.core import SwiftsegError
from swiftseg.layers.tensor_digest import check_values, digest_of

SAFETENSORS = ".safetensors"
NESTED_KEYS = ("state_dict", "model_state_dict", "model", "network")
DIGEST_KEY = "swiftseg_digest"  # in the metadata of a .safetensors file

_ZIP_MAGIC = b"PK\x03\x04"


def read_tensor_file(path: Path) -> Any:
    """Read onto the CPU what a .safetensors file holds, or one that torch.save wrote.

    The checksums of the archive that torch.save writes are compared, which torch itself leaves out,
    and so is the digest of a .safetensors file that has one.

    Raises:
        SwiftsegError: The file is missing or damaged, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    if path.suffix == SAFETENSORS:
        return _read_safetensors(path)
    _check_archive(path)
    try:
        with warnings.catch_warnings():
            # Of files by another pickle protocol than torch's own; what they hold is checked here.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
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
    try:
        check_values(content)
    except ValueError as error:
        raise SwiftsegError(f"{path}: refused, {error}") from error
    return content


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            digest = (file.metadata() or {}).get(DIGEST_KEY)
        content = load_file(path)
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error
    if digest is not None and digest != digest_of(content):
        raise SwiftsegError(
            f"{path}: refused, its weights are not those that were written; copy or import it again"
        )
    return content


def _check_archive(path: Path) -> None:
    """Compare the checksums of the archive that torch.save writes; older files are none.

    Raises:
        SwiftsegError: An entry is damaged, or compressed, which torch.save never does: a small
            file could then claim all memory.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
                return
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise SwiftsegError(
                    f"{path}: refused, it holds compressed entries, which torch.save does not write"
                )
            if sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise zipfile.BadZipFile("entries overlap")
            damaged = archive.testzip()
    # A damaged archive makes Python's reader fail in many ways.
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path) from error
    except zipfile.BadZipFile as error:
        raise _damaged(path) from error
    if damaged is not None:
        raise _damaged(path)


def _damaged(path: Path) -> SwiftsegError:
    return SwiftsegError(
        f"{path}: refused, it is damaged: its content does not match its checksums; "
        "take another copy of it"
    )


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
        SwiftsegError: It holds no state dict, or one with values that are not finite.
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
    refuse_not_finite(state, path)
    names = [str(name) for name in state]
    wrapped = all(name.startswith("module.") for name in names)
    return {
        name.removeprefix("module.") if wrapped else name: tensor
        for name, tensor in zip(names, state.values(), strict=True)
    }


def refuse_not_finite(weights: Mapping[Any, Tensor], path: Path) -> None:
    """Raise SwiftsegError where a tensor of the file at `path` holds NaN or infinity."""
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            count = int((~torch.isfinite(tensor)).sum())
            raise SwiftsegError(
                f"{path}: refused, {count} of the {tensor.numel()} values of {name} are NaN or "
                "infinite; take weights from before the training went wrong"
            )


def _holds_mapping(state: Any, key: str) -> bool:
    return isinstance(state, Mapping) and isinstance(state.get(key), Mapping)
