"""The weights that come with the package: NAME.onnx, each with its card NAME.md beside it."""

from pathlib import Path

DEFAULT_MODEL = "enet-camvid"

_FOLDER = Path(__file__).parent


def shipped_models() -> dict[str, Path]:
    """Finds the shipped .onnx files by their names, in alphabetical order."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.onnx"))}
