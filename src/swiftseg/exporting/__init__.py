"""A network as one file that answers as the network does, or no file at all.

What needs torch is imported when it is first used: folders around an exported file do not need it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.exporting.export_model import Exported, export
    from swiftseg.exporting.export_onnx import export_onnx
    from swiftseg.exporting.parity import EngineParity, ParityReport

__all__ = ["EngineParity", "Exported", "ParityReport", "export", "export_onnx"]

_HOMES = {
    "EngineParity": "parity",
    "Exported": "export_model",
    "ParityReport": "parity",
    "export": "export_model",
    "export_onnx": "export_onnx",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg.exporting' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"swiftseg.exporting.{_HOMES[name]}"), name)
