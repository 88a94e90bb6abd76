"""A network in, one self-describing file out, checked against the network it came from."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.export.export_onnx import export_onnx
    from swiftseg.export.parity import EngineParity, ParityReport

__all__ = ["EngineParity", "ParityReport", "export_onnx"]

_HOMES = {
    "EngineParity": "swiftseg.export.parity",
    "ParityReport": "swiftseg.export.parity",
    "export_onnx": "swiftseg.export.export_onnx",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first used: formats around an exported file do not."""
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg.export' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
