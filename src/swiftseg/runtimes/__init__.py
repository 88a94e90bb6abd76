"""One file an engine; `load_backend` imports the engine that is asked for.

To add an engine, write its module with `load_graph` and add a line to `ENGINES`.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from swiftseg.core import unknown_name
from swiftseg.runtimes.base import Backend, Engine, labels_of
from swiftseg.runtimes.cores import check_threads
from swiftseg.runtimes.file_backend import FileBackend, LoadGraph
from swiftseg.runtimes.model_file import METADATA_KEY, read_spec

# ONNX Runtime's wheels report to their makers unless they are told not to before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def _onnxruntime() -> LoadGraph:
    from swiftseg.runtimes.onnxruntime_engine import load_graph

    return load_graph


def _openvino() -> LoadGraph:
    from swiftseg.runtimes.openvino_engine import load_graph

    return load_graph


def _tensorrt() -> LoadGraph:
    from swiftseg.runtimes.tensorrt_engine import load_graph

    return load_graph


class FileEngine(NamedTuple):
    """An engine that runs exported files.

    Attributes:
        find: Imports the engine's module and returns its `load_graph`.
        precisions: What it computes in, its default first.
        runs_on_cpu: Whether `auto` and the comparison after an export try it.
    """

    find: Callable[[], LoadGraph]
    precisions: tuple[str, ...]
    runs_on_cpu: bool


ENGINES: Mapping[str, FileEngine] = {
    "onnxruntime": FileEngine(_onnxruntime, ("f32",), runs_on_cpu=True),
    "openvino": FileEngine(_openvino, ("f32", "bf16"), runs_on_cpu=True),
    "tensorrt": FileEngine(_tensorrt, ("f32", "fp16"), runs_on_cpu=False),
}

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
) -> FileBackend:
    """Load an exported model.

    Args:
        path: An .onnx file that swiftseg has exported.
        name: One of `ENGINES`.
        precision: One of that engine's.
        threads: Threads for one frame; None takes one a physical core.

    Raises:
        UsageError: No backend has that name or none of that name the precision, or `threads` is
            below 1 or above the CPUs.
        MissingExtraError: The engine is not installed.
        SwiftsegError: The file is missing, damaged, or not one that swiftseg has exported.
    """
    check_threads(threads)
    if name not in ENGINES:
        raise unknown_name("backend", name, ENGINES)
    if precision not in ENGINES[name].precisions:
        raise unknown_name(f"precision of {name}", precision, ENGINES[name].precisions)
    return FileBackend(Path(path), Engine(name, precision), ENGINES[name].find(), threads=threads)


__all__ = [
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
