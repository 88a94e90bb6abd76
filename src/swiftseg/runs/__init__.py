"""What the folder of a training run holds; read and written without torch."""

from swiftseg.runs.history import Epoch, best_epoch, read_epochs
from swiftseg.runs.run_folder import Environment, RunFolder

__all__ = ["Environment", "Epoch", "RunFolder", "best_epoch", "read_epochs"]
