"""One file an engine; `load_backend` imports the engine that is asked for.

To add an engine, write its module with `load_graph` and add a line to `ENGINES`.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from swiftseg.core import unknown_name
from swiftseg.runtimes.base import Backend, Engine, labels_of
from swiftseg.runtimes.cores import check_threads
from swiftseg.runtimes.file_backend import FileBackend, LoadGraph
from swiftseg.runtimes.model_file import METADATA_KEY, read_spec

# ONNX Runtime's wheels report to their makers unless they are told not to before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class FileEngine(NamedTuple):
    """An engine that runs exported files.

    Attributes:
        module: The engine's module here, which is imported when it is asked for.
        precisions: What it computes in, its default first.
        devices: What it can compute on, its default first.
        runs_on_cpu: Whether `auto` and the comparison after an export try it.
        elsewhere: Further precisions on other devices than the CPU.
    """

    module: str
    precisions: tuple[str, ...]
    devices: tuple[str, ...]
    runs_on_cpu: bool
    elsewhere: tuple[str, ...] = ()

    def find(self) -> LoadGraph:
        """Import the engine's module and return its `load_graph`."""
        return import_module(f"swiftseg.runtimes.{self.module}").load_graph


ENGINES: Mapping[str, FileEngine] = {
    "onnxruntime": FileEngine(
        "onnxruntime_engine",
        ("f32",),
        ("cpu", "cuda", "tensorrt", "coreml", "dml", "qnn"),
        runs_on_cpu=True,
    ),
    "openvino": FileEngine(
        "openvino_engine",
        ("f32", "bf16"),
        ("cpu", "gpu", "npu"),
        runs_on_cpu=True,
        elsewhere=("fp16",),
    ),
    "tensorrt": FileEngine("tensorrt_engine", ("f32", "fp16"), ("cuda",), runs_on_cpu=False),
}

AUTO = "auto"  # a backend or a precision that a trial on this machine decides
BACKENDS = tuple(name for name, engine in ENGINES.items() if engine.runs_on_cpu)
PRECISIONS = {name: engine.precisions for name, engine in ENGINES.items()}

# Names for torch, and options of its backend. It runs networks, of checkpoints or shipped weights,
# and no exported file: `load_backend` does not know it.
TORCH_WAYS: Mapping[str, Mapping[str, bool]] = {
    "torch": {},
    "torch-channels-last": {"channels_last": True},
    "torch-compiled": {"compiled": True},
}


def load_backend(
    path: Path | str,
    *,
    name: str = "onnxruntime",
    precision: str = "f32",
    threads: int | None = None,
    device: str | None = None,
) -> FileBackend:
    """Load an exported model.

    Args:
        path: An .onnx file that swiftseg has exported.
        name: One of `ENGINES`.
        precision: One of that engine's.
        threads: Threads for one frame; None takes one per physical core.
        device: One of the engine's; None takes its first.

    Raises:
        UsageError: No backend has that name, or none of that name the precision or device, or
            `threads` is below 1 or above the CPUs.
        MissingExtraError: The engine is not installed.
        SwiftsegError: The file is missing, damaged, or not one that swiftseg has exported.
    """
    check_threads(threads)
    if name not in ENGINES:
        raise unknown_name("backend", name, ENGINES)
    found = ENGINES[name]
    if device is not None and device not in found.devices:
        raise unknown_name(f"device of {name}", device, found.devices)
    device = device or found.devices[0]
    precisions = found.precisions + (found.elsewhere if device != "cpu" else ())
    if precision not in precisions:
        raise unknown_name(f"precision of {name}", precision, precisions)
    engine = Engine(name, precision, device)
    return FileBackend(Path(path), engine, found.find(), threads=threads)


__all__ = [
    "AUTO",
    "BACKENDS",
    "ENGINES",
    "METADATA_KEY",
    "PRECISIONS",
    "TORCH_WAYS",
    "Backend",
    "Engine",
    "labels_of",
    "load_backend",
    "read_spec",
]
