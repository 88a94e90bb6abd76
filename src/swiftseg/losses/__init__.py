"""Losses and class weighting."""

from swiftseg.losses.class_weighting import (
    effective_number_weights,
    enet_class_weights,
    median_frequency_weights,
)
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.losses.ohem import OhemCrossEntropy
from swiftseg.losses.presence import presence_loss

__all__ = [
    "OhemCrossEntropy",
    "WeightedCrossEntropy",
    "effective_number_weights",
    "enet_class_weights",
    "median_frequency_weights",
    "presence_loss",
]
