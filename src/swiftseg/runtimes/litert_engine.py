"""LiteRT (TensorFlow Lite) on the CPU; needs the `litert` extra."""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.core.fresh_process import ProcessEndedError, run_in_process
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel

with needs_extra("the litert backend", "litert"):
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore

GRAPH = "model.tflite"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`."""
    del model  # there is one input and one output
    interpreter = _ready(str(folder / GRAPH), threads)
    [source], [target] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], image)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(target["index"]))

    return run


def check_loads(path: Path) -> None:
    """Load a file in a process of its own: LiteRT ends the process where it lacks an operator.

    Raises:
        SwiftsegError: It cannot be loaded.
    """
    try:
        run_in_process(_load, path=str(path))
    except ProcessEndedError as error:
        raise SwiftsegError("LiteRT lacks one of its operators in this precision") from error


def _load(path: str) -> None:
    _ready(path, 1)


def _ready(path: str, threads: int) -> Any:
    try:
        interpreter: Any = Interpreter(path, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise SwiftsegError(f"LiteRT cannot load it: {error}") from error
    return interpreter
