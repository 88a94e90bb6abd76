"""How a recipe's networks are scored, in training and afterwards."""

from dataclasses import replace

import torch
from torch import nn

from swiftseg.core import ModelSpec
from swiftseg.evaluation import NATIVE, Protocol
from swiftseg.evaluation.protocol import BackendAt
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.recipes.recipe import Recipe
from swiftseg.runtimes import TORCH_WAYS
from swiftseg.runtimes.torch_backend import TorchBackend


def recipe_protocol(recipe: Recipe) -> Protocol:
    """Return the native protocol with the recipe's classes, in windows where it says so."""
    return replace(
        NATIVE, void_as_class=recipe.void_as_class, sliding=recipe.evaluation.sliding_windows
    )


def recipe_segmenter(
    recipe: Recipe, network: nn.Module, spec: ModelSpec, device: torch.device | str = "cpu"
) -> Segmenter | AveragingSegmenter:
    """Return what segments frames with a network as `recipe_protocol` says."""
    return recipe_protocol(recipe).segmenter(spec, backend_at_any_size(network, spec, device))


def backend_at_any_size(
    network: nn.Module,
    spec: ModelSpec,
    device: torch.device | str = "cpu",
    *,
    precision: str = "f32",
    way: str = "torch",
) -> BackendAt:
    """Return engines of one network, which runs at every size.

    The arguments are those of `TorchBackend`, and `way` is one of `TORCH_WAYS`.
    """

    def backend_at(size_hw: tuple[int, int]) -> TorchBackend:
        sized = replace(spec, input=replace(spec.input, size_hw=size_hw))
        options = TORCH_WAYS[way]
        return TorchBackend(network, sized, device=device, precision=precision, **options)

    return backend_at
