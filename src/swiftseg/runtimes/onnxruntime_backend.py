"""ONNX Runtime on the CPU."""

from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort

from swiftseg.core import SwiftsegError
from swiftseg.kernels.upsample_argmax import argmax
from swiftseg.runtimes.base import INPUT_NAME, check_contract, no_logits
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.label_head import cut_label_head
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
        self._options = ort.SessionOptions()
        self._options.intra_op_num_threads = threads or physical_cores()
        self._options.inter_op_num_threads = 1
        self._options.log_severity_level = _ERRORS_ONLY
        # Arithmetic with values below 1e-38 is many times slower, and no label depends on them.
        self._options.add_session_config_entry("session.set_denormal_as_zero", "1")
        self._head = cut_label_head(path) if self.spec.output == "labels" else None
        self._session = self._load(self._head.model) if self._head else self._whole

    def run(self, batch: np.ndarray) -> np.ndarray:
        if self._head is None:
            return _run(self._session, self.spec.output, batch)
        return self.scores_to_labels(self.run_scores(batch))

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        if self._head is not None and self._head.scores == "logits":
            return _run(self._session, "logits", batch)
        if "logits" not in [output.name for output in self._whole.get_outputs()]:
            raise no_logits(self._path)
        return _run(self._whole, "logits", batch)

    def run_scores(self, batch: np.ndarray) -> np.ndarray:
        if self._head is None:
            return self.run_logits(batch)
        return _run(self._session, self._head.scores, batch)

    def scores_to_labels(self, scores: np.ndarray) -> np.ndarray:
        if self._head is None:
            return argmax(scores)
        return self._head.labels(scores, self.spec.input.size_hw)

    @cached_property
    def _whole(self) -> ort.InferenceSession:
        """The graph to its end; loaded once somebody wants what a cut one does not give."""
        session = self._load(self._path)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        check_contract(
            self._path, [node.name for node in inputs], [node.name for node in outputs], self.spec
        )
        return session

    def _load(self, model: Path | bytes) -> ort.InferenceSession:
        try:
            return ort.InferenceSession(model, self._options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base class of their own
            raise SwiftsegError(
                f"{self._path}: ONNX Runtime cannot load it: {first_line(error)}"
            ) from error


def _run(session: ort.InferenceSession, output: str, batch: np.ndarray) -> np.ndarray:
    result = session.run([output], {INPUT_NAME: batch})[0]
    assert isinstance(result, np.ndarray)
    return result


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
