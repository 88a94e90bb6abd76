"""OpenVINO on the CPU; needs the `openvino` extra."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError
from swiftseg.kernels.upsample_argmax import argmax
from swiftseg.runtimes.base import INPUT_NAME, check_contract, no_logits
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.label_head import cut_label_head
from swiftseg.runtimes.model_file import read_spec

try:
    import openvino as ov
except ModuleNotFoundError as error:
    raise MissingExtraError("the openvino backend", "openvino") from error

# The one engine of this process. Each lays a stack for signals and, when it ends, puts back the one
# it had found. Of two that end in the order of their making, the second puts back the first one's,
# which is gone: the next signal, such as Ctrl-C, then kills the process (OpenVINO 2026.4).
CORE = ov.Core()

# The first array that becomes a tensor makes the bindings look numpy up. Two threads that do so at
# once wait for each other for ever; imports wait in line (OpenVINO 2026.4).
ov.Tensor(np.zeros(1, np.uint8))


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
        self._options = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "CPU_DENORMALS_OPTIMIZATION": True,  # values below 1e-38 are slow and decide no label
            "INFERENCE_NUM_THREADS": threads or physical_cores(),
        }
        self._head = cut_label_head(path) if self.spec.output == "labels" else None
        self._graph = self._load(self._head.model) if self._head else self._whole

    def run(self, batch: np.ndarray) -> np.ndarray:
        if self._head is None:
            return self._graph.run(batch)[self.spec.output]
        return self.scores_to_labels(self.run_scores(batch))

    def run_logits(self, batch: np.ndarray) -> np.ndarray:
        if self._head is not None and self._head.scores == "logits":
            return self._graph.run(batch)["logits"]
        if "logits" not in self._whole.outputs:
            raise no_logits(self._path)
        return self._whole.run(batch)["logits"]

    def run_scores(self, batch: np.ndarray) -> np.ndarray:
        if self._head is None:
            return self.run_logits(batch)
        return self._graph.run(batch, share_outputs=True)[self._head.scores]

    def scores_to_labels(self, scores: np.ndarray) -> np.ndarray:
        if self._head is None:
            return argmax(scores)
        return self._head.labels(scores, self.spec.input.size_hw)

    @cached_property
    def _whole(self) -> "_Graph":
        """The graph to its end; loaded once somebody wants what a cut one does not give."""
        graph = self._load(self._path)
        check_contract(self._path, graph.inputs, graph.outputs, self.spec)
        return graph

    def _load(self, model: Path | bytes) -> "_Graph":
        try:
            return _Graph(model, self._options)
        except RuntimeError as error:
            reason = str(error).strip().rpartition("\n")[2]
            raise SwiftsegError(f"{self._path}: OpenVINO cannot load it: {reason}") from error


class _Graph:
    """A graph compiled for one frame, and once more for any number when another number comes.

    With one frame every shape is known: more operators are fused, and none works out sizes. That
    is up to 1.3 times as fast (docs/design/0011-precision-of-openvino.md).

    Attributes:
        inputs: The inputs' names.
        outputs: The outputs' names.
    """

    def __init__(self, source: Path | bytes, options: dict[str, Any]) -> None:
        self._source = source
        self._options = options
        model = CORE.read_model(source)
        self.inputs = [node.any_name for node in model.inputs]
        self.outputs = [node.any_name for node in model.outputs]
        if len(self.inputs) == 1:  # any other graph is refused for its contract
            shape = model.inputs[0].partial_shape
            shape[0] = 1
            model.reshape(shape)
        self._one_frame = self._compile(model)

    def run(self, batch: np.ndarray, *, share_outputs: bool = False) -> Mapping[str, np.ndarray]:
        """Runs frames uint8 (N, H, W, 3); gives the outputs by name."""
        model = self._one_frame if len(batch) == 1 else self._any_number
        return model({INPUT_NAME: batch}, share_outputs=share_outputs)

    @cached_property
    def _any_number(self) -> ov.CompiledModel:
        return self._compile(CORE.read_model(self._source))

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        return CORE.compile_model(model, "CPU", self._options)
