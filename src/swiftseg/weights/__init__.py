"""The weights that come with the package.

Each is NAME.onnx to run, NAME.safetensors to train on from, and a card NAME.md. Why there are two
files says docs/design/0015-two-files-of-each-shipped-model.md.
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
