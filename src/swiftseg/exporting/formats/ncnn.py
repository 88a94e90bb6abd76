"""ncnn's two files, by pnnx; needs the `ncnn` extra."""

import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from swiftseg.core import SwiftsegError, needs_extra
from swiftseg.exporting.formats.score_graph import ScoreGraph
from swiftseg.runtimes.ncnn_engine import PARAM, WEIGHTS

with needs_extra("--format ncnn", "ncnn"):
    import pnnx


def write(
    graph: ScoreGraph, folder: Path, precision: str, images: Sequence[np.ndarray]
) -> tuple[str, str]:
    """Write the files; see `swiftseg.exporting.formats.Write`."""
    del images  # it has no int8 here
    with TemporaryDirectory(prefix="swiftseg-") as name:
        traced = Path(name) / "model.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript is old: it is what pnnx reads
            torch.jit.save(torch.jit.trace(graph.module, graph.example, check_trace=False), traced)
        shape = ",".join(str(size) for size in graph.example.shape)
        program = Path(pnnx.EXEC_PATH)
        command = [program, traced, f"inputshape=[{shape}]", f"fp16={int(precision == 'fp16')}"]
        done = subprocess.run(command, cwd=name, capture_output=True, text=True)
        param, weights = Path(name) / PARAM, Path(name) / WEIGHTS
        if done.returncode or not param.is_file() or not weights.is_file():
            raise SwiftsegError(f"pnnx fails: {(done.stderr or done.stdout).strip()[-300:]}")
        text = param.read_text("utf-8")
        # An operator that ncnn lacks stays under torch's name.
        lacking = sorted(
            {line.split()[0] for line in text.splitlines() if "::" in line.split(" ")[0]}
        )
        if lacking:
            raise SwiftsegError(f"ncnn lacks the operators {', '.join(lacking)}")
        (folder / PARAM).write_text(text, encoding="utf-8")
        (folder / WEIGHTS).write_bytes(weights.read_bytes())
    return "in0", "out0"
