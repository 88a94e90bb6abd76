"""One backend an engine; `load_backend` imports the engine that is asked for."""

from collections.abc import Mapping
from pathlib import Path

from swiftseg.core import unknown_name
from swiftseg.runtimes.base import Backend
from swiftseg.runtimes.cores import check_threads
from swiftseg.runtimes.model_file import METADATA_KEY, read_spec

BACKENDS = ("onnxruntime", "openvino")

# Names for torch, and options of its backend. It runs networks, of checkpoints or shipped weights,
# and no exported file: `load_backend` does not know it.
TORCH_WAYS: Mapping[str, Mapping[str, bool]] = {
    "torch": {},
    "torch-channels-last": {"channels_last": True},
    "torch-compiled": {"compiled": True},
}

# What each engine computes in, its default first. No CPU runs TensorRT: it is asked for by name.
PRECISIONS: Mapping[str, tuple[str, ...]] = {
    "onnxruntime": ("f32",),
    "openvino": ("f32", "bf16"),
    "tensorrt": ("f32", "fp16"),
}


def load_backend(
    path: Path | str,
    *,
    name: str = "onnxruntime",
    precision: str = "f32",
    threads: int | None = None,
) -> Backend:
    """Loads an exported model.

    Args:
        path: An .onnx file that swiftseg has exported.
        name: One of `PRECISIONS`.
        precision: One of `PRECISIONS[name]`.
        threads: Threads for one frame; None takes one a physical core.

    Raises:
        UsageError: No backend has that name or none of that name the precision, or `threads` is
            below 1 or above the CPUs.
        MissingExtraError: The engine is not installed.
        SwiftsegError: The file is missing, damaged, or none that swiftseg has exported.
    """
    check_threads(threads)
    if name not in PRECISIONS:
        raise unknown_name("backend", name, PRECISIONS)
    if precision not in PRECISIONS[name]:
        raise unknown_name(f"precision of {name}", precision, PRECISIONS[name])
    if name == "openvino":
        from swiftseg.runtimes.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(Path(path), precision=precision, threads=threads)
    if name == "tensorrt":
        from swiftseg.runtimes.tensorrt_backend import TensorRtBackend

        return TensorRtBackend(Path(path), precision=precision)
    from swiftseg.runtimes.onnxruntime_backend import OnnxRuntimeBackend

    return OnnxRuntimeBackend(Path(path), threads=threads)


__all__ = [
    "BACKENDS",
    "METADATA_KEY",
    "PRECISIONS",
    "TORCH_WAYS",
    "Backend",
    "load_backend",
    "read_spec",
]
