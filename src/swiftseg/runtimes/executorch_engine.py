"""ExecuTorch with XNNPACK on the CPU; needs the `executorch` extra.

Its Python package computes on torch's tensors, so that this file imports torch; programs on a
board use its C++ library, without.
"""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel

with needs_extra("the executorch backend", "executorch"):
    import torch
    from executorch.runtime import Runtime  # pyright: ignore

PROGRAM = "model.pte"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`.

    Its Python package takes one thread a core and offers no choice.
    """
    del model, threads
    try:
        program: Any = Runtime.get().load_program(folder / PROGRAM)
        loaded = program, program.load_method("forward")  # the second does not own the first
    except RuntimeError as error:
        raise SwiftsegError(f"ExecuTorch cannot load it: {error}") from error

    def run(image: np.ndarray) -> np.ndarray:
        return np.array(loaded[1].execute([torch.from_numpy(image)])[0].numpy())

    return run
