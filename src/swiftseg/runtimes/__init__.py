"""One backend an engine; `load_backend` imports the engine that is asked for."""

from pathlib import Path

from swiftseg.core import UsageError, unknown_name
from swiftseg.runtimes.base import Backend
from swiftseg.runtimes.model_file import METADATA_KEY, read_spec

BACKENDS = ("onnxruntime", "openvino")


def load_backend(
    path: Path | str, *, name: str = "onnxruntime", threads: int | None = None
) -> Backend:
    """Loads an exported model.

    Args:
        path: An .onnx file that swiftseg has exported.
        name: One of `BACKENDS`.
        threads: Threads for one frame; None takes one a physical core.

    Raises:
        UsageError: No backend has that name, or `threads` is below 1.
        MissingExtraError: The engine is not installed.
        SwiftsegError: The file is missing, damaged, or none that swiftseg has exported.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"expected at least 1 thread, got {threads}")
    if name == "onnxruntime":
        from swiftseg.runtimes.onnxruntime_backend import OnnxRuntimeBackend

        return OnnxRuntimeBackend(Path(path), threads=threads)
    if name == "openvino":
        from swiftseg.runtimes.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(Path(path), threads=threads)
    raise unknown_name("backend", name, BACKENDS)


__all__ = ["BACKENDS", "METADATA_KEY", "Backend", "load_backend", "read_spec"]
