"""ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from swiftseg.core import SwiftsegError
from swiftseg.runtimes.base import INPUT_NAME, check_contract, no_logits
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.model_file import read_spec

_ERRORS_ONLY = 3  # the log severity; below it ONNX Runtime tells of its own optimizations


class OnnxRuntimeBackend:
    """Runs an exported .onnx file; see `swiftseg.runtimes.base.Backend`.

    Args:
        path: The file.
        threads: Threads inside one operator; None takes one a physical core.

    Raises:
        SwiftsegError: The file is missing, damaged, or none that swiftseg has exported.
    """

    name = "onnxruntime"

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self.spec = read_spec(path)
        self._path = path
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or physical_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Arithmetic with values below 1e-38 is many times slower, and no label depends on them.
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        try:
            self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class of their own
            raise SwiftsegError(
                f"{path}: ONNX Runtime cannot load it: {first_line(error)}"
            ) from error
        self._outputs = [output.name for output in self._session.get_outputs()]
        inputs = [node.name for node in self._session.get_inputs()]
        check_contract(path, inputs, self._outputs, self.spec)

    def run(self, batch: np.ndarray) -> np.ndarray:
        return self._run(self._outputs[0], batch)

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        if "logits" not in self._outputs:
            raise no_logits(self._path)
        return self._run("logits", batch)

    def _run(self, output: str, batch: np.ndarray) -> np.ndarray:
        result = self._session.run([output], {INPUT_NAME: batch})[0]
        assert isinstance(result, np.ndarray)
        return result


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
