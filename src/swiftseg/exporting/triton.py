"""An exported model as a model repository of NVIDIA's Triton Inference Server."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing, write_file
from swiftseg.runtimes.graph_promises import read_checked

MAX_BATCH = 8

_TYPES = {
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(float)": "TYPE_FP32",
    "tensor(int64)": "TYPE_INT64",
}


def export_triton(model: Path, folder: Path) -> Path:
    """Write DIR/NAME/config.pbtxt and DIR/NAME/1/model.onnx; return DIR/NAME.

    The configuration's inputs and outputs are read from the file as ONNX Runtime loads it, which
    is what Triton runs it with.

    Args:
        model: An .onnx file that swiftseg has exported.
        folder: The model repository; other models in it stay.

    Raises:
        SwiftsegError: The file is another than it says, or the repository has such a model.
    """
    spec = read_checked(model)
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), session.get_outputs()
    target = folder / spec.name
    if target.exists():
        raise SwiftsegError(f"{target} exists; remove it, or choose another --out")
    with replacing(target / "1" / "model.onnx") as temporary:
        shutil.copyfile(model, temporary)
    write_file(target / "config.pbtxt", config_text(spec.name, inputs, outputs))
    return target


def config_text(name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """Return a config.pbtxt."""
    is_batched = all(not isinstance(value.shape[0], int) for value in (*inputs, *outputs))
    lines = [
        f'name: "{name}"',
        'backend: "onnxruntime"',
        f"max_batch_size: {MAX_BATCH if is_batched else 0}",
        *_values("input", inputs, is_batched),
        *_values("output", outputs, is_batched),
    ]
    if is_batched:
        lines.append("dynamic_batching { }")
    return "\n".join(lines) + "\n"


def _values(kind: str, values: Sequence[Any], is_batched: bool) -> list[str]:
    lines = [f"{kind} ["]
    for value in values:
        if value.type not in _TYPES:
            raise SwiftsegError(f"{value.name}: Triton takes no {value.type} here")
        shape = value.shape[1:] if is_batched else value.shape
        dims = ", ".join(str(size) if isinstance(size, int) else "-1" for size in shape)
        data_type = _TYPES[value.type]
        lines.append(f'  {{ name: "{value.name}" data_type: {data_type} dims: [ {dims} ] }},')
    lines[-1] = lines[-1].removesuffix(",")
    return [*lines, "]"]
