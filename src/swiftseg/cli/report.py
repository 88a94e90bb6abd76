"""`swiftseg report`: what a model does on labeled data, as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.cli.evaluate import choose_protocol, load_model
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
    data: Annotated[str, typer.Option(help="The folder of the labeled data, or toystreet.")],
    split: Annotated[str, typer.Option(help="The part of the data to score.")] = "val",
    dataset_name: Annotated[
        str | None,
        typer.Option("--dataset", help="The reader and class set [told by the folder's tree]."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file [report.html, a run's in its folder].")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="native: labels at their own size; or a paper's: enet, segfast, shelfnet. "
            "[native; a checkpoint's by its recipe]"
        ),
    ] = None,
    scales: Annotated[
        str | None,
        typer.Option(
            metavar="S,S,...", help="Average probabilities over scales, such as 0.75,1.0,1.25."
        ),
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Average over mirror images too.")] = False,
    sliding: Annotated[
        bool,
        typer.Option("--sliding", help="Go over the frames in windows of the network's size."),
    ] = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Take the calibration, too.")
    ] = False,
    backend: Annotated[str, typer.Option(help="The engine for exported files.")] = "onnxruntime",
) -> None:
    """Write an HTML report of a model on labeled data.

    Scores with their interval, a run's curves, scores by class, the confusion matrix, and the best,
    median and worst frames, all in one file that opens offline.
    """
    from swiftseg.cli.inputs import check_writable
    from swiftseg.cli.report_file import Measurement, write_measurement
    from swiftseg.data import open_dataset

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
