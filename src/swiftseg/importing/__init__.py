"""Weights that other programs trained, as weights of the networks here."""

from swiftseg.importing.import_checkpoint import Imported, import_checkpoint
from swiftseg.importing.matching import MisfitError
from swiftseg.trained.weights_file import load_network, load_weights, save_weights

__all__ = [
    "Imported",
    "MisfitError",
    "import_checkpoint",
    "load_network",
    "load_weights",
    "save_weights",
]
