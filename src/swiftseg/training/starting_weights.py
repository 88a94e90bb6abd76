"""The file of weights to start from, or to learn from."""

from pathlib import Path

from swiftseg.core import UsageError
from swiftseg.inference import find_model

NO_WEIGHTS = "none"  # what `--weights` takes to start anew


def find_weights(source: str | Path) -> Path:
    """Return the file of shipped weights by their name, or a path as it is.

    Raises:
        UsageError: There are no weights of that name, no such file, or it is an exported model,
            whose layers are folded together.
    """
    weights = find_model(source).weights
    if weights is None:
        raise UsageError(
            f"{source}: expected a checkpoint (.pt) or a .safetensors file; an exported model has "
            "its layers folded together"
        )
    if not weights.is_file():
        raise UsageError(f"{weights}: no such file of weights")
    return weights
