"""`swiftseg evaluate`: models and labeled data in, scores out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.options import (
    MODEL_HELP,
    AddressOption,
    BackendOption,
    CalibrationErrorOption,
    CalibrationOption,
    DataOption,
    DatasetOption,
    DeviceOption,
    FlipOption,
    JsonOption,
    PrecisionOption,
    ProtocolOption,
    ScalesOption,
    SlidingOption,
    SplitOption,
    WorkersOption,
    parse_scales,
)
from swiftseg.cli.plain_output import terminal
from swiftseg.core import UsageError

if TYPE_CHECKING:
    from swiftseg.data import Dataset
    from swiftseg.evaluation import Evaluation, ScoringProtocol
    from swiftseg.inference import Segmenter


def evaluate(
    models: Annotated[list[str], typer.Argument(metavar="MODEL", help=MODEL_HELP)],
    data: DataOption,
    split: SplitOption = "val",
    dataset_name: DatasetOption = None,
    protocol: ProtocolOption = None,
    scales: ScalesOption = None,
    flip: FlipOption = False,
    sliding: SlidingOption = False,
    calibration_error: CalibrationErrorOption = False,
    submission: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write label maps as servers take them."),
    ] = None,
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    calibration: CalibrationOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
    workers: WorkersOption = None,
    address: AddressOption = None,
) -> None:
    """Score models on labeled data, all by one protocol.

    IoU and accuracy come from one confusion matrix at label resolution; void is ignored. The
    interval of mean IoU is a bootstrap over frames.
    """
    from swiftseg import evaluation
    from swiftseg.cli.score_table import comparison_table, score_table
    from swiftseg.data import open_dataset
    from swiftseg.evaluation.submission import submission_writer
    from swiftseg.inference import Segmenter
    from swiftseg.prediction.sources import check_writable

    check_options(submission, address, models=len(models), workers=workers)
    segmenters = [
        Segmenter.load(
            model, backend=backend, precision=precision, calibration=calibration, device=device
        )
        for model in models
    ]
    dataset = open_dataset(data, split, dataset_name)
    chosen = choose_protocol(
        protocol or common_protocol(models, segmenters, dataset), scales, flip=flip, sliding=sliding
    )
    for segmenter in segmenters:
        chosen.segmenter(segmenter)  # a model that cannot run so is refused before hours of work
    on_frame = submission and submission_writer(submission, dataset.labels, split)
    if submission is not None:
        check_writable(submission)
    if workers is None:
        score = partial(evaluation.evaluate, data=dataset, on_frame=on_frame)
    else:
        from swiftseg.cluster.evaluate_on_ray import evaluate_on_ray

        score = partial(
            evaluate_on_ray,
            data=data,
            split=split,
            dataset=dataset_name,
            workers=workers,
            address=address,
        )
    scored: list[tuple[str, Evaluation]] = []
    for model, segmenter in zip(models, segmenters, strict=True):
        found = score(segmenter, protocol=chosen, calibration_error=calibration_error)
        scored.append((model, found))
        if as_json:
            origin = {"model": segmenter.spec.name, "file": model, "data": data, "split": split}
            typer.echo(json.dumps({**origin, **found.to_dict()}))
        else:
            terminal().print(score_table(found, f"{segmenter.spec.name} on {split} of {data}"))
    if len(models) > 1 and not as_json:
        terminal().print(comparison_table(scored, f"{split} of {data}"))


def check_options(
    submission: Path | None, address: str | None, *, models: int, workers: int | None
) -> None:
    """Raise UsageError where options do not go together."""
    if submission is not None and models > 1:
        raise UsageError("--submission takes one model: several would overwrite each other")
    if submission is not None and workers is not None:
        raise UsageError("--submission is written by one process; leave --workers out")
    if address is not None and address.startswith("ray://"):
        raise UsageError("evaluate runs on a node of the cluster; name it by auto or HOST:PORT")
    if address is not None and workers is None:
        raise UsageError("--address names a Ray cluster; give the number of workers with --workers")


def common_protocol(
    models: Sequence[str], segmenters: "Sequence[Segmenter]", dataset: "Dataset"
) -> "ScoringProtocol":
    """Return the protocol that fits all models.

    Raises:
        UsageError: They differ, and unlike numbers are never put side by side.
    """
    from swiftseg.evaluation import fitting_protocol

    first, *others = [fitting_protocol(segmenter, dataset) for segmenter in segmenters]
    for model, other in zip(models[1:], others, strict=True):
        if other != first:
            raise UsageError(
                f"{models[0]} is scored by {first} and {model} by {other}; "
                "choose one for all with --protocol"
            )
    return first


def choose_protocol(
    chosen: "str | ScoringProtocol", scales: str | None, *, flip: bool, sliding: bool
) -> "ScoringProtocol":
    """Return a protocol, or the one of that name, with what the options add.

    Raises:
        UsageError: The name is unknown, or the scales are not numbers from 0.1 to 10.
    """
    from swiftseg.evaluation.protocol import find_protocol

    protocol = find_protocol(chosen) if isinstance(chosen, str) else chosen
    if scales is not None:
        protocol = replace(protocol, scales=parse_scales(scales))
    return replace(protocol, flip=flip or protocol.flip, sliding=sliding or protocol.sliding)
