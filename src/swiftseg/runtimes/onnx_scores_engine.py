"""ONNX Runtime on the CPU in TensorRT's place, for a graph whose engine is built elsewhere."""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError
from swiftseg.core.errors import first_line
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel

GRAPH = "model.onnx"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        session: Any = ort.InferenceSession(
            str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors share no base class of their own
        raise SwiftsegError(f"ONNX Runtime cannot load it: {first_line(error)}") from error

    def run(image: np.ndarray) -> np.ndarray:
        return session.run([model.output], {model.input: image})[0]

    return run
