"""`swiftseg report`: what a model does on labeled data, as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from swiftseg.cli.evaluate import choose_protocol
from swiftseg.cli.options import (
    MODEL_HELP,
    BackendOption,
    CalibrationErrorOption,
    DataOption,
    DatasetOption,
    FlipOption,
    ProtocolOption,
    ScalesOption,
    SlidingOption,
    SplitOption,
)
from swiftseg.core import UsageError


def report(
    source: Annotated[str, typer.Argument(metavar="RUN|MODEL", help=MODEL_HELP)],
    data: DataOption,
    split: SplitOption = "val",
    dataset_name: DatasetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="HTML file.", show_default="report.html, a run's in its folder"),
    ] = None,
    protocol: ProtocolOption = None,
    scales: ScalesOption = None,
    flip: FlipOption = False,
    sliding: SlidingOption = False,
    calibration_error: CalibrationErrorOption = False,
    backend: BackendOption = None,
) -> None:
    """Write an HTML report of a model on labeled data.

    Scores with their interval, a run's curves, scores by class, the confusion matrix, and the best,
    median and worst frames, all in one file that opens offline.
    """
    from swiftseg.cli.score_table import mean_iou
    from swiftseg.data import open_dataset
    from swiftseg.evaluation import fitting_protocol
    from swiftseg.evaluation.report import report_model
    from swiftseg.inference import Segmenter
    from swiftseg.prediction.sources import check_writable
    from swiftseg.runs import RunFolder

    segmenter = Segmenter.load(source, backend=backend)
    run = Path(source) if Path(source).is_dir() and segmenter.model.kind != "shipped" else None
    path = out or RunFolder(run or Path()).report
    if path.is_dir():
        raise UsageError(f"--out {path}: expected a file, such as {RunFolder(path).report}")
    dataset = open_dataset(data, split, dataset_name)
    chosen = choose_protocol(
        protocol or fitting_protocol(segmenter, dataset), scales, flip=flip, sliding=sliding
    )
    chosen.segmenter(segmenter)  # a model that cannot run so is refused before hours of work
    check_writable(path.parent)
    evaluation = report_model(
        path,
        segmenter,
        dataset,
        origin=(data, split),
        protocol=chosen,
        run=run,
        calibration_error=calibration_error,
    )
    typer.echo(
        f"{path}: {segmenter.spec.name} on {split} of {data}, "
        f"mIoU {mean_iou(evaluation)} % on {evaluation.frames} frames"
    )
