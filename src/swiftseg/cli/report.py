"""`swiftseg report`: what a model does on labeled data, as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.cli.engine_options import BackendOption
from swiftseg.cli.evaluate import choose_protocol, load_model
from swiftseg.cli.scoring_options import (
    DataOption,
    DatasetOption,
    FlipOption,
    ProtocolOption,
    ScalesOption,
    SlidingOption,
    SplitOption,
)
from swiftseg.core import SwiftsegError, UsageError
from swiftseg.weights import shipped_models

BEST = "best.pt"
FILE_NAME = "report.html"


def report(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL",
            help="The folder of a training run, a shipped model's name, an exported file or a "
            "checkpoint.",
        ),
    ],
    data: DataOption,
    split: SplitOption = "val",
    dataset_name: DatasetOption = None,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file [report.html, a run's in its folder].")
    ] = None,
    protocol: ProtocolOption = None,
    scales: ScalesOption = None,
    flip: FlipOption = False,
    sliding: SlidingOption = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Take the calibration, too.")
    ] = False,
    backend: BackendOption = None,
) -> None:
    """Write an HTML report of a model on labeled data.

    Scores with their interval, a run's curves, scores by class, the confusion matrix, and the best,
    median and worst frames, all in one file that opens offline.
    """
    from swiftseg.data import open_dataset
    from swiftseg.evaluation.report.report_file import Measurement, write_measurement
    from swiftseg.prediction.sources import check_writable

    run = run_folder(source)
    model = source if run is None else str(run / BEST)
    path = out or (run or Path()) / FILE_NAME
    if path.is_dir():
        raise UsageError(f"--out {path}: expected a file, such as {path / FILE_NAME}")
    loaded = load_model(model, backend)
    chosen = choose_protocol(protocol or loaded.protocol, scales, flip=flip, sliding=sliding)
    dataset = open_dataset(data, split, dataset_name)
    segmenter = chosen.segmenter(loaded.spec, loaded.backend_at)
    check_writable(path.parent)
    measurement = Measurement(model, data, split, chosen, backend=loaded.engine, run=run)
    typer.echo(write_measurement(path, measurement, segmenter, dataset, calibration=calibration))


def run_folder(source: str) -> Path | None:
    """Gives the folder of a training run, or None for what is a model.

    Raises:
        SwiftsegError: The folder holds no run.
    """
    folder = Path(source)
    if source in shipped_models() or not folder.is_dir():
        return None
    if not (folder / BEST).is_file():
        raise SwiftsegError(
            f"{folder}: no {BEST} in this folder; expected the folder of a training run that has "
            "been validated once, an exported file, or a shipped model's name"
        )
    return folder
