"""ncnn on the CPU; needs the `ncnn` extra."""

from pathlib import Path
from typing import Any

import numpy as np

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.runtimes.board_backend import RunScores
from swiftseg.runtimes.board_folder import BoardModel

with needs_extra("the ncnn backend", "ncnn"):
    import ncnn as bindings

ncnn: Any = bindings  # a compiled module that tells no types

PARAM, WEIGHTS = "model.ncnn.param", "model.ncnn.bin"


def load_scores(folder: Path, model: BoardModel, *, threads: int) -> RunScores:
    """Load a network; see `swiftseg.runtimes.board_backend.LoadScores`.

    It computes in float32, with weights as they are stored.
    """
    net = ncnn.Net()
    options = net.opt
    options.num_threads = threads
    options.use_vulkan_compute = False
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
    options.use_bf16_storage = False
    if net.load_param(str(folder / PARAM)) or net.load_model(str(folder / WEIGHTS)):
        raise SwiftsegError("ncnn cannot load it; export it again with this version of ncnn")

    def run(image: np.ndarray) -> np.ndarray:
        own = np.ascontiguousarray(image[0])  # the Mat is a view, so it has to outlive the run
        extractor = net.create_extractor()
        extractor.input(model.input, ncnn.Mat(own))
        status, scores = extractor.extract(model.output)
        if status:
            raise SwiftsegError(f"{folder}: ncnn ends with status {status}")
        return np.array(scores)[None]

    return run
