"""Weights that a training starts from."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from swiftseg.core import InputSpec, SwiftsegError, UsageError
from swiftseg.runtimes.model_file import read_spec
from swiftseg.trained.checkpoint import load_checkpoint

CHECKPOINT_SUFFIXES = (".pt", ".pth")
SAFETENSORS_SUFFIX = ".safetensors"


def input_of_weights(path: Path) -> InputSpec | None:
    """Gives the input that weights have learned with, as far as it is written down.

    A checkpoint's is in its recipe, and that of shipped weights in the exported model beside them.
    None: nobody has told.

    Raises:
        SwiftsegError: The checkpoint or the model is damaged.
    """
    if path.suffix in CHECKPOINT_SUFFIXES:
        return load_checkpoint(path).recipe.input.to_spec()
    exported = path.with_suffix(".onnx")
    is_exported = path.suffix == SAFETENSORS_SUFFIX and exported.is_file()
    return read_spec(exported).input if is_exported else None


def read_initial_weights(path: Path) -> dict[str, Tensor]:
    """Reads the network's tensors of a checkpoint, or those of a .safetensors file.

    Raises:
        UsageError: The file's name ends otherwise; an .onnx file has its layers folded together.
        SwiftsegError: The file is missing or damaged.
    """
    if path.suffix in CHECKPOINT_SUFFIXES:
        return load_checkpoint(path).network
    if path.suffix != SAFETENSORS_SUFFIX:
        raise UsageError(
            f"{path}: expected a checkpoint (.pt) or a {SAFETENSORS_SUFFIX} file to start from"
        )
    if not path.is_file():
        raise SwiftsegError(f"{path}: no such file")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise SwiftsegError(f"{path}: damaged or not a safetensors file: {error}") from error
