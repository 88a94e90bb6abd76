"""The file that a name of weights stands for: what to start from, and who teaches."""

from pathlib import Path

from swiftseg.core import UsageError, unknown_name
from swiftseg.weights import shipped_weights


def find_weights(source: str | Path) -> Path:
    """Return the file of shipped weights by their name, or a path as it is.

    Raises:
        UsageError: There are no weights of that name, no such file, or it is an exported model,
            whose layers are folded together.
    """
    shipped = shipped_weights()
    path = shipped.get(str(source), Path(source))
    if path.suffix == ".onnx":
        raise UsageError(
            f"{path}: expected a checkpoint (.pt) or a .safetensors file; an exported model "
            "has its layers folded together"
        )
    if path.is_file():
        return path
    if path.suffix:
        raise UsageError(f"{path}: no such file of weights")
    raise unknown_name("weights", str(source), shipped)
