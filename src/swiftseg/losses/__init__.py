"""Losses and class weighting.

Losses are imported when they are first used (PEP 562): the formulas of class weights need numpy
alone, and who asks for them may have no torch.
"""

from typing import TYPE_CHECKING, Any

from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)

if TYPE_CHECKING:
    from swiftseg.losses.cross_entropy import WeightedCrossEntropy
    from swiftseg.losses.dice import DiceLoss
    from swiftseg.losses.distillation import distillation_loss
    from swiftseg.losses.lovasz import LovaszSoftmax
    from swiftseg.losses.ohem import OhemCrossEntropy
    from swiftseg.losses.presence import presence_loss

__all__ = [
    "DiceLoss",
    "LovaszSoftmax",
    "OhemCrossEntropy",
    "WeightedCrossEntropy",
    "distillation_loss",
    "effective_number_weights",
    "enet_class_weights",
    "median_frequency_weights",
    "presence_loss",
]

_HOMES = {
    "DiceLoss": "swiftseg.losses.dice",
    "LovaszSoftmax": "swiftseg.losses.lovasz",
    "OhemCrossEntropy": "swiftseg.losses.ohem",
    "WeightedCrossEntropy": "swiftseg.losses.cross_entropy",
    "distillation_loss": "swiftseg.losses.distillation",
    "presence_loss": "swiftseg.losses.presence",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg.losses' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
