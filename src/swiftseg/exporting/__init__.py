"""A network as one file that answers as the network does, or no file at all; needs torch."""

from swiftseg.exporting.export_model import Exported, export
from swiftseg.exporting.export_onnx import export_onnx
from swiftseg.exporting.parity import EngineParity, ParityReport

__all__ = ["EngineParity", "Exported", "ParityReport", "export", "export_onnx"]
