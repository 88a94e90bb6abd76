"""Tensors and plain values, as files hold them: checked, and summed up in one digest."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

# What no checkpoint reaches. References in a pickle can stand for a tree of any size.
MAX_VALUES, MAX_DEPTH = 2_000_000, 50
# What tensors may have beyond their stored values, as `expand` makes them; FCN-8s has half of it.
MAX_EXPANDED_BYTES = 1 << 30


def digest_of(content: Any) -> str:
    """Return the SHA-256 of tensors and plain values in hexadecimal digits.

    Nested dicts count by their keys, in any order; tensors by type, shape and bytes.

    Raises:
        ValueError: As `check_values`.
    """
    digest = hashlib.sha256()
    for place, value in _walk(content, "", MAX_DEPTH):
        if isinstance(value, Tensor):
            digest.update(f"{place} {value.dtype} {tuple(value.shape)}\n".encode())
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
        else:
            digest.update(f"{place} {type(value).__name__} {value!r}\n".encode())
    return digest.hexdigest()


def check_values(content: Any) -> None:
    """Refuse what a file of tensors may not hold.

    Raises:
        ValueError: Tensors claim far more values than the file holds, or are of a kind that no
            weights are; or the values are too many or too deeply nested.
    """
    expanded = 0
    for count, (place, value) in enumerate(_walk(content, "", MAX_DEPTH)):
        if count >= MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")
        if isinstance(value, Tensor):
            expanded += _expanded_bytes(place, value)
            if expanded > MAX_EXPANDED_BYTES:
                raise ValueError(f"{place or 'a tensor'} claims more values than the file holds")


def _expanded_bytes(place: str, tensor: Tensor) -> int:
    """Return by how much a tensor is larger than what is stored of it."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise ValueError(f"{place or 'it'} is no plain tensor")
    return max(0, tensor.nbytes - tensor.untyped_storage().nbytes())


def _walk(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield everything that holds nothing else, and empty containers, with its place."""
    if depth == 0:
        raise ValueError(f"it is nested more than {MAX_DEPTH} times")
    children: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        named = ((repr(key), child) for key, child in value.items())
        children = sorted(named, key=lambda child: child[0])
    elif isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        children = [(str(index), child) for index, child in enumerate(value)]
    if not children:
        yield place, type(value).__name__ if isinstance(value, Mapping | list | tuple) else value
    for key, child in children:
        yield from _walk(child, f"{place}.{key}", depth - 1)
