"""OpenVINO on the CPU; needs the `openvino` extra."""

from pathlib import Path

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.runtimes.base import INPUT_NAME, check_contract, no_logits
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.model_file import read_spec

try:
    import openvino as ov
except ModuleNotFoundError as error:
    raise MissingExtraError("the openvino backend", "openvino") from error


class OpenVinoBackend:
    """Runs an exported .onnx file; see `swiftseg.runtimes.base.Backend`.

    Computes in float32 also where the CPU offers bfloat16, so that labels equal the other engines',
    unless told otherwise.

    Args:
        path: The file.
        precision: `f32` or `bf16`.
        threads: Threads for one frame; None takes one a physical core.

    Raises:
        SwiftsegError: The file is missing, damaged, or none that swiftseg has exported.
    """

    name = "openvino"

    def __init__(self, path: Path, *, precision: str = "f32", threads: int | None = None) -> None:
        self.spec = read_spec(path)
        self._path = path
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "CPU_DENORMALS_OPTIMIZATION": True,  # values below 1e-38 are slow and decide no label
            "INFERENCE_NUM_THREADS": threads or physical_cores(),
        }
        try:
            core = ov.Core()
            self._model = core.compile_model(core.read_model(path), "CPU", options)
        except RuntimeError as error:
            reason = str(error).strip().rpartition("\n")[2]
            raise SwiftsegError(f"{path}: OpenVINO cannot load it: {reason}") from error
        self._outputs = [output.any_name for output in self._model.outputs]
        check_contract(
            path, [node.any_name for node in self._model.inputs], self._outputs, self.spec
        )

    def run(self, batch: np.ndarray) -> np.ndarray:
        return self._run(self._outputs[0], batch)

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        if "logits" not in self._outputs:
            raise no_logits(self._path)
        return self._run("logits", batch)

    def _run(self, output: str, batch: np.ndarray) -> np.ndarray:
        return self._model({INPUT_NAME: batch})[output]
