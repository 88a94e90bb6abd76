"""The part of Triton's model_config.proto that is written, for protobuf's own text reader.

tritonclient brings the whole of it, and holds ml_dtypes at an older version than onnx's.
"""

from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_DATA_TYPES = {"TYPE_UINT8": 2, "TYPE_INT64": 9, "TYPE_FP32": 11}
_VALUE = (("name", 1, "string"), ("data_type", 2, "enum"), ("dims", 4, "int64s"))
_CONFIG = (
    ("name", 1, "string"),
    ("max_batch_size", 4, "int32"),
    ("input", 5, "Value"),
    ("output", 6, "Value"),
    ("dynamic_batching", 11, "Batching"),
    ("backend", 17, "string"),
)


def parse_config(text: str) -> Any:
    """Reads a config.pbtxt; fails at any field or type that Triton does not have here."""
    return text_format.Parse(text, GetMessageClass(_pool().FindMessageTypeByName("t.Config"))())


def data_type_name(number: int) -> str:
    """Return the name of a data type."""
    return next(name for name, value in _DATA_TYPES.items() if value == number)


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    enum = file.enum_type.add(name="DataType")
    enum.value.add(name="TYPE_INVALID", number=0)
    for name, number in _DATA_TYPES.items():
        enum.value.add(name=name, number=number)
    for message, fields in (("Value", _VALUE), ("Batching", ()), ("Config", _CONFIG)):
        described = file.message_type.add(name=message)
        for name, number, kind in fields:
            described.field.append(_field(name, number, kind))
    pool = DescriptorPool()
    pool.Add(file)
    return pool


def _field(name: str, number: int, kind: str) -> FieldDescriptorProto:
    many = kind in ("Value", "int64s")
    field = FieldDescriptorProto(name=name, number=number, label=3 if many else 1)
    scalars = {"string": 9, "int32": 5, "int64s": 3}
    if kind in scalars:
        field.type = scalars[kind]
    else:
        field.type = 14 if kind == "enum" else 11
        field.type_name = ".t.DataType" if kind == "enum" else f".t.{kind}"
    return field
