"""From what a user calls a model to its file."""

from pathlib import Path

from swiftseg.core import SwiftsegError, unknown_name
from swiftseg.weights import shipped_models

CHECKPOINT_SUFFIXES = (".pt", ".pth")


def model_path(model: Path | str) -> Path:
    """Finds the .onnx file of a shipped name, or takes the path as it is.

    Whatever ends in .onnx or stands on the disk is a path; the rest is a name.

    Raises:
        UsageError: No shipped model has that name.
        SwiftsegError: It is a checkpoint, which must be exported first, or a folder.
    """
    shipped = shipped_models()
    if str(model) in shipped:
        return shipped[str(model)]
    path = Path(model)
    if path.suffix in (*CHECKPOINT_SUFFIXES, ".ckpt", ".safetensors"):
        raise SwiftsegError(
            f"{path} is a checkpoint, and frames are segmented with exported models: "
            f"run `swiftseg export {path} --out model.onnx` (needs the train extra)"
        )
    if path.is_dir():
        raise SwiftsegError(
            f"{path} is a folder, and models are files: name one in it, such as a training run's "
            f"{path / 'model.onnx'} or {path / 'best.pt'}"
        )
    if path.suffix == ".onnx" or path.exists():
        return path
    raise unknown_name("model", str(model), shipped)
