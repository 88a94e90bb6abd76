"""OpenVINO's own files on the CPU; needs the `openvino` extra."""

from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel
from swiftseg.runtimes.openvino_engine import CORE

GRAPH = "model.xml"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`. It computes in float32."""
    options = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    try:
        compiled = CORE.compile_model(folder / GRAPH, "CPU", options)
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise SwiftsegError(f"OpenVINO cannot load it: {reason}") from error
    request = compiled.create_infer_request()

    def run(image: np.ndarray) -> np.ndarray:
        return np.array(request.infer({model.input: image})[model.output])

    return run
