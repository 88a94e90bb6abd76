"""OpenVINO, on the CPU or another Intel device; needs the `openvino` extra."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np

from swiftseg.core import MissingExtraError, SwiftsegError, UsageError
from swiftseg.core.in_threads import in_another_thread
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.cores import physical_cores

# Without its telemetry package OpenVINO reports to nobody. With it, it counts each import in a file
# below the home folder, and cannot be imported where there is none (OpenVINO 2026.4).
_telemetry = sys.modules.get("openvino_telemetry")
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
try:
    import openvino as ov
except ModuleNotFoundError as error:
    raise MissingExtraError("the openvino backend", "openvino") from error
finally:
    del sys.modules["openvino_telemetry"]
    if _telemetry is not None:
        sys.modules["openvino_telemetry"] = _telemetry

# The one engine of this process. Each lays a stack for signals and, when it ends, puts back the one
# it had found. Of two that end in the order of their making, the second puts back the first one's,
# which is gone: the next signal, such as Ctrl-C, then kills the process (OpenVINO 2026.4).
CORE = ov.Core()

# The first array that becomes a tensor makes the bindings look numpy up. Two threads that do so at
# once wait for each other for ever; imports wait in line (OpenVINO 2026.4).
ov.Tensor(np.zeros(1, np.uint8))


class _Requests:
    """A compiled model with one request for each thread that runs it at the same time.

    A request holds the memory of one run. Two threads that share one overwrite each other's result.
    """

    def __init__(self, model: ov.CompiledModel) -> None:
        self._model = model
        self._idle: LifoQueue[ov.InferRequest] = LifoQueue()  # the last one's memory is in cache

    @contextmanager
    def running(self, batch: np.ndarray, output: str) -> Generator[np.ndarray]:
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        try:
            yield request.infer({INPUT_NAME: batch}, share_inputs=True, share_outputs=True)[output]
        finally:
            self._idle.put(request)


class OpenVinoGraph:
    """A graph compiled for one frame, and once more for any number when another number comes.

    With one frame every shape is known: more operators are fused, and none works out sizes. That
    is up to 1.3 times as fast (docs/design/0011-precision-of-openvino.md). See
    `swiftseg.runtimes.file_backend.Graph`.
    """

    def __init__(self, source: Path | bytes, options: dict[str, Any], device: str = "CPU") -> None:
        self._source = source
        self._device = device
        self._options = options
        model = CORE.read_model(source)
        shape = model.inputs[0].partial_shape
        shape[0] = 1
        model.reshape(shape)
        self._one_frame = self._compile(model)

    @contextmanager
    def running(self, batch: np.ndarray, output: str) -> Generator[np.ndarray]:
        """Run frames uint8 (N, H, W, 3); yield the output of that name."""
        requests = self._one_frame if len(batch) == 1 else self._any_number
        with requests.running(batch, output) as values:
            yield values

    @cached_property
    def _any_number(self) -> _Requests:
        return self._compile(CORE.read_model(self._source))

    def _compile(self, model: ov.Model) -> _Requests:
        # The thread that compiles flushes values below 1e-38 from then on: not the caller's.
        return in_another_thread(
            lambda: _Requests(CORE.compile_model(model, self._device, self._options))
        )


def load_graph(
    model: Path | bytes,
    *,
    precision: str,
    threads: int | None,
    size_hw: tuple[int, int],
    device: str = "cpu",
) -> OpenVinoGraph:
    """Load a graph; see `swiftseg.runtimes.file_backend.LoadGraph`.

    It computes in float32 also where the CPU offers bfloat16, so that labels equal the other
    engines', unless told otherwise.
    """
    del size_hw  # the graph says it
    name = device.upper()
    found = [known.partition(".")[0] for known in CORE.available_devices]
    if name not in found:
        raise UsageError(
            f"OpenVINO finds no {device} here, only {', '.join(sorted(set(found))).lower()}; its "
            "driver may be missing"
        )
    options: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }
    if device == "cpu":
        options["CPU_DENORMALS_OPTIMIZATION"] = True  # values below 1e-38 are slow and decide none
        options["INFERENCE_NUM_THREADS"] = threads or physical_cores()
    try:
        return OpenVinoGraph(model, options, name)
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise SwiftsegError(f"OpenVINO cannot load it: {reason}") from error
