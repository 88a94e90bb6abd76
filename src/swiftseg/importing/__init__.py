"""Weights that other programs trained, as weights of the networks here."""

from swiftseg.importing.import_checkpoint import Imported, import_checkpoint
from swiftseg.layers.filling import MisfitError

__all__ = ["Imported", "MisfitError", "import_checkpoint"]
