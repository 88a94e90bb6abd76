"""What tests do to networks before they look at them."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def awake(network: nn.Module) -> nn.Module:
    """Fills what starts at zero, such as FCN's scores, so that no path through it is closed."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1, generator=generator)
    return network


def modules_of(network: nn.Module, kind: type[Module]) -> list[Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


def outputs_of(
    network: nn.Module, names: list[str], run: Callable[[], object]
) -> dict[str, list[Any]]:
    """Collects what the named modules give, call by call, while `run` runs."""
    outputs: dict[str, list[Any]] = {name: [] for name in names}
    handles = [
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output, name=name: outputs[name].append(output)
        )
        for name in names
    ]
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return outputs


def sizes_of(
    build: Callable[[], nn.Module], names: list[str], size_hw: tuple[int, int]
) -> dict[str, tuple[int, ...]]:
    """The shape (C, H, W) that each named module gives for one image, without computing it."""
    with torch.device("meta"):
        network, image = build().eval(), torch.empty(1, 3, *size_hw)
    outputs = outputs_of(network, names, lambda: network(image))
    return {name: tuple(calls[-1].shape[1:]) for name, calls in outputs.items()}
