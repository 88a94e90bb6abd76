"""Losses and class weighting."""

from swiftseg.losses.class_weighting import enet_class_weights
from swiftseg.losses.cross_entropy import WeightedCrossEntropy

__all__ = ["WeightedCrossEntropy", "enet_class_weights"]
