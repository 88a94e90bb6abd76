"""ONNX Runtime on the CPU."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime as ort

from swiftseg.core import SwiftsegError
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.cores import physical_cores

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
    model: Path | bytes, *, precision: str, threads: int | None, size_hw: tuple[int, int]
) -> OnnxRuntimeGraph:
    """Load a graph; see `swiftseg.runtimes.file_backend.LoadGraph`."""
    del precision, size_hw  # the CPU computes in what the graph says, at any size
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or physical_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Arithmetic with values below 1e-38 is many times slower, and no label depends on them.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    try:
        return OnnxRuntimeGraph(
            ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        )
    except Exception as error:  # its errors share no base class of their own
        reason = str(error).partition("\n")[0]
        raise SwiftsegError(f"ONNX Runtime cannot load it: {reason}") from error
