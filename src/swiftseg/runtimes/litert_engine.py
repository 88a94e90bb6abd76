"""LiteRT (TensorFlow Lite) on the CPU; needs the `litert` extra."""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel

with needs_extra("the litert backend", "litert"):
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore

GRAPH = "model.tflite"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`."""
    del model  # there is one input and one output
    try:
        interpreter: Any = Interpreter(str(folder / GRAPH), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise SwiftsegError(f"LiteRT cannot load it: {error}") from error
    [source], [target] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(target["index"]))

    return run
