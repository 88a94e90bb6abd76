"""ONNX Runtime, on the CPU or on what else the installed wheel can use."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.errors import first_line
from swiftseg.core.in_threads import in_another_thread
from swiftseg.core.memory import NO_MEMORY, ran_out
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.cores import physical_cores


class Provider(NamedTuple):
    """A device by ONNX Runtime's name, and the package that has it."""

    name: str
    package: str


PROVIDERS = {
    "cpu": Provider("CPUExecutionProvider", "onnxruntime"),
    "cuda": Provider("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": Provider("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "coreml": Provider("CoreMLExecutionProvider", "onnxruntime on macOS"),
    "dml": Provider("DmlExecutionProvider", "onnxruntime-directml on Windows"),
    "qnn": Provider("QNNExecutionProvider", "onnxruntime-qnn on Windows"),
}
_ERRORS_ONLY = 3  # the log severity; below it ONNX Runtime tells of its own optimizations


class OnnxRuntimeGraph:
    """A graph in a session; see `swiftseg.runtimes.file_backend.Graph`."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    @contextmanager
    def running(self, batch: np.ndarray, output: str) -> Generator[np.ndarray]:
        """Run frames uint8 (N, H, W, 3); yield the output of that name."""
        values = self._session.run([output], {INPUT_NAME: batch})[0]
        assert isinstance(values, np.ndarray)
        yield values


def load_graph(
    model: Path | bytes,
    *,
    precision: str,
    threads: int | None,
    size_hw: tuple[int, int],
    device: str = "cpu",
) -> OnnxRuntimeGraph:
    """Load a graph; see `swiftseg.runtimes.file_backend.LoadGraph`."""
    del precision, size_hw  # it computes in what the graph says, at any size
    provider = find_provider(device)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or physical_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Arithmetic with values below 1e-38 is many times slower, and no label depends on them. The
    # first session makes the thread that loads it flush them for good: not the caller's.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    providers = list(dict.fromkeys((provider, PROVIDERS["cpu"].name)))  # for operators it lacks
    try:
        session = in_another_thread(
            lambda: ort.InferenceSession(model, options, providers=providers)
        )
    except Exception as error:  # its errors share no base class of their own
        reason = NO_MEMORY if ran_out(error) else first_line(error)
        raise SwiftsegError(f"ONNX Runtime cannot load it: {reason}") from error
    # It goes on with the CPU alone where a device cannot be used, which nobody asked for.
    if provider not in session.get_providers():
        raise SwiftsegError(f"ONNX Runtime cannot use {device} here; its log above says why")
    return OnnxRuntimeGraph(session)


def find_provider(device: str) -> str:
    """Return ONNX Runtime's name of a device.

    Raises:
        UsageError: The installed package does not have it; the one that has is named.
    """
    provider = PROVIDERS[device]
    if provider.name not in ort.get_available_providers():
        raise UsageError(
            f"the installed ONNX Runtime has no {device}; `pip uninstall onnxruntime`, then "
            f"install {provider.package}, which has it"
        )
    return provider.name
