"""The weights that come with the package.

Each is NAME.onnx to run, NAME.safetensors to train on from, and a card NAME.md. Neither file can be
made of the other without torch: the exported one has batch normalization folded into convolutions
and its graph rewritten.
"""

from pathlib import Path

DEFAULT_MODEL = "fast_scnn-streets"

_FOLDER = Path(__file__).parent


def shipped_models() -> dict[str, Path]:
    """Find the shipped .onnx files by their names, in alphabetical order."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.onnx"))}


def shipped_weights() -> dict[str, Path]:
    """Find the shipped .safetensors files by their names, in alphabetical order."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.safetensors"))}
