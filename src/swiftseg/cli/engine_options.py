"""`--backend`, `--precision`, `--device` and more, alike in every command that runs a model."""

from pathlib import Path
from typing import Annotated

import typer

MODEL_HELP = "A shipped model's name, an exported file, a checkpoint, or a training run's folder."

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="onnxruntime, openvino, tensorrt, auto, torch, torch-channels-last, torch-compiled.",
        show_default="onnxruntime; torch for checkpoints; auto with --precision auto",
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option("--precision", help="f32, bf16, fp16, or auto: the fastest that keeps 99.5 %."),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="DIR",
        help="Images or labeled data that --precision auto is judged on.",
        show_default=False,
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu, cuda, tensorrt, coreml, dml, qnn; OpenVINO: cpu, gpu, npu.",
        show_default="cpu; for torch a GPU if there is one",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", help="Threads for one frame.", show_default="one a physical core"),
]
