"""A network in, one self-describing file out, checked against the network it came from."""

from swiftseg.export.export_onnx import export_onnx
from swiftseg.export.parity import EngineParity, ParityReport

__all__ = ["EngineParity", "ParityReport", "export_onnx"]
