"""Networks with trained weights, from any file that holds both a network and its description."""

from pathlib import Path

import torch
from torch import Tensor, nn

from swiftseg.core import InputSpec, ModelSpec, SwiftsegError, UsageError
from swiftseg.layers.tensor_file import SAFETENSORS, read_tensor_file, state_dict_in
from swiftseg.runtimes.model_file import read_spec
from swiftseg.trained.checkpoint import (
    build_network,
    is_checkpoint,
    load_checkpoint,
    model_spec,
    parse_checkpoint,
)
from swiftseg.trained.weights_file import Description, build_described, read_description


def load_trained(path: Path) -> tuple[nn.Module, ModelSpec]:
    """Read a network in eval mode, and what describes it.

    Torch's random state stays as it is.

    Args:
        path: A checkpoint of `swiftseg train`; a .safetensors file that `swiftseg import` wrote
            with class names and an input size; or one with the exported model beside it, as the
            shipped weights have.

    Raises:
        SwiftsegError: The file is missing or damaged, or does not describe its network.
    """
    # Building a network draws weights that are replaced at once.
    with torch.random.fork_rng(devices=[]):
        if path.suffix == SAFETENSORS:
            return _load_safetensors(path)
        checkpoint = load_checkpoint(path)
        spec = model_spec(checkpoint.recipe, checkpoint.labels, checkpoint.state)
        return build_network(checkpoint, path).eval(), spec


def _load_safetensors(path: Path) -> tuple[nn.Module, ModelSpec]:
    described, spec = read_description(path), _spec_beside(path)
    if spec is not None:
        described = described or Description(network=spec.network, num_classes=len(spec.labels))
    elif described is not None:
        spec = described.spec(path)
    else:
        raise SwiftsegError(
            f"{path}: does not say which network it fills; expected a file that swiftseg import "
            f"wrote, or the exported model {path.stem}.onnx beside it"
        )
    return build_described(described, path), spec


def _spec_beside(path: Path) -> ModelSpec | None:
    """Read what describes shipped weights, the exported model beside them, where there is one."""
    exported = path.with_suffix(".onnx")
    return read_spec(exported) if exported.is_file() else None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the network's tensors of a checkpoint, or those of any other file of tensors by name.

    Raises:
        SwiftsegError: The file is missing or damaged, or holds no tensors by name.
    """
    content = read_tensor_file(path)
    if is_checkpoint(content):
        return parse_checkpoint(content, path).network
    return state_dict_in(content, path)


def origin_of_weights(path: Path) -> tuple[str | None, InputSpec | None]:
    """Return the network that weights belong to, and the input that they have learned with.

    A checkpoint's are in its recipe, those of shipped weights in the exported model beside them,
    and those of imported weights in their description. None where nothing tells.

    Raises:
        SwiftsegError: The checkpoint, the model or the description is damaged.
    """
    if path.suffix != SAFETENSORS:
        content = read_tensor_file(path)
        if not is_checkpoint(content):
            return None, None
        found = parse_checkpoint(content, path)
        return found.stage.network, found.recipe.input.to_spec()
    found = _spec_beside(path) or read_description(path)
    return (found.network, found.input) if found else (None, None)


def torch_device(name: str | None = None) -> torch.device:
    """Return a device by torch's name for it, such as `cpu`, `cuda` or `mps`.

    None is the machine's accelerator, such as its first GPU, or the CPU where there is none.

    Raises:
        UsageError: The machine or the installed torch has no such device.
    """
    found = torch.accelerator.current_accelerator(check_available=True)
    if name is None:
        return found or torch.device("cpu")
    known = ["cpu", *([found.type] if found else [])]
    if name not in known:
        raise UsageError(f"torch finds no {name} here, only {' and '.join(known)}")
    return torch.device(name)
