"""`swiftseg evaluate`: models and labeled data in, scores out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.cli.engine_options import BackendOption, PrecisionOption, find_engine
from swiftseg.cli.scoring_options import (
    DataOption,
    DatasetOption,
    FlipOption,
    ProtocolOption,
    ScalesOption,
    SlidingOption,
    SplitOption,
)
from swiftseg.cli.torch_engine import load_in_torch, runs_in_torch
from swiftseg.core import ModelSpec, UsageError

if TYPE_CHECKING:
    import numpy as np

    from swiftseg.core import Sample
    from swiftseg.data import Dataset
    from swiftseg.evaluation import Evaluation, Protocol
    from swiftseg.evaluation.protocol import BackendAt
    from swiftseg.inference import AveragingSegmenter, Segmenter


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready for any protocol.

    Attributes:
        spec: Describes it.
        backend_at: Runs it at a size, see `Protocol.segmenter`.
        engine: The name of what runs it.
        protocol: How it is scored unless the user says otherwise: a checkpoint as its recipe
            says, all else natively.
    """

    spec: "ModelSpec"
    backend_at: "BackendAt"
    engine: str
    protocol: "Protocol"


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Shipped models' names, exported files, or checkpoints."
        ),
    ],
    data: DataOption,
    split: SplitOption = "val",
    dataset_name: DatasetOption = None,
    protocol: ProtocolOption = None,
    scales: ScalesOption = None,
    flip: FlipOption = False,
    sliding: SlidingOption = False,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Take the expected calibration error, too.")
    ] = False,
    submission: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write label maps as Cityscapes' server takes them."),
    ] = None,
    backend: BackendOption = None,
    precision: PrecisionOption = "f32",
    calibration_frames: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Frames of the model's proportions that --precision auto is judged on.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a model and nothing else.")
    ] = False,
) -> None:
    """Score models on labeled data, all by one protocol.

    IoU and accuracy come from one confusion matrix at label resolution; void is ignored. The
    interval of mean IoU is a bootstrap over frames.
    """
    from rich.console import Console

    from swiftseg.cli.score_table import comparison_table, score_table
    from swiftseg.data import open_dataset

    if submission is not None and len(models) > 1:
        raise UsageError("--submission takes one model, since each would overwrite the other's")
    loaded = [load_model(model, backend, precision, calibration_frames) for model in models]
    named = protocol or common_protocol(models, loaded)
    chosen = choose_protocol(named, scales, flip=flip, sliding=sliding)
    dataset = open_dataset(data, split, dataset_name)
    segmenters = [chosen.segmenter(model.spec, model.backend_at) for model in loaded]
    on_frame = submission_writer(submission, dataset) if submission else None
    console = Console()
    scored: list[tuple[str, Evaluation]] = []
    for model, segmenter in zip(models, segmenters, strict=True):
        evaluation = run(segmenter, dataset, chosen, calibration=calibration, on_frame=on_frame)
        scored.append((model, evaluation))
        if as_json:
            origin = {"model": segmenter.spec.name, "file": model, "data": data, "split": split}
            print(json.dumps({**origin, **evaluation.to_dict()}))  # noqa: T201 the output
        else:
            console.print(score_table(evaluation, f"{segmenter.spec.name} on {split} of {data}"))
    if len(models) > 1 and not as_json:
        console.print(comparison_table(scored, f"{split} of {data}"))


def common_protocol(models: Sequence[str], loaded: Sequence[LoadedModel]) -> "Protocol":
    """Gives the protocol that all models are scored by unless the user names one.

    Raises:
        UsageError: They differ, and unlike numbers are never put side by side.
    """
    first = loaded[0].protocol
    for model, other in zip(models, loaded, strict=True):
        if other.protocol != first:
            raise UsageError(
                f"{models[0]} is scored by {first} and {model} by {other.protocol}; "
                "name one for all by --protocol"
            )
    return first


def choose_protocol(
    chosen: "str | Protocol", scales: str | None, *, flip: bool, sliding: bool
) -> "Protocol":
    """Gives a protocol, or the one of that name, with what the options add; its text tells them.

    Raises:
        UsageError: The name is unknown, or the scales are no numbers of 0.1 to 10.
    """
    from swiftseg.evaluation.protocol import find_protocol

    protocol = find_protocol(chosen) if isinstance(chosen, str) else chosen
    if scales is not None:
        try:
            protocol = replace(protocol, scales=tuple(float(s) for s in scales.split(",")))
        except ValueError as error:
            raise UsageError(f"--scales {scales}: expected numbers such as 0.5,1.0,1.5") from error
    return replace(protocol, flip=flip or protocol.flip, sliding=sliding or protocol.sliding)


def run(
    segmenter: "Segmenter | AveragingSegmenter",
    dataset: "Dataset",
    protocol: "Protocol",
    *,
    calibration: bool,
    on_frame: "Callable[[Sample, np.ndarray], None] | None",
) -> "Evaluation":
    """Evaluates with a progress bar."""
    from swiftseg.core.progress import LateProgress
    from swiftseg.evaluation import Evaluation, evaluate_frames

    evaluation = Evaluation(dataset.labels, protocol)
    with LateProgress(f"evaluating {segmenter.spec.name}") as progress:
        progress.expect(len(dataset))
        for evaluation in evaluate_frames(  # noqa: B007 the last one is the result
            segmenter, dataset, protocol=protocol, calibration=calibration, on_frame=on_frame
        ):
            progress.advance()
    return evaluation


def submission_writer(folder: Path, dataset: "Dataset") -> "Callable[[Sample, np.ndarray], None]":
    """Gives what writes each frame's label map for Cityscapes' server.

    Raises:
        UsageError: The data are others than Cityscapes' 19 classes.
    """
    from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
    from swiftseg.data.published.cityscapes_instances import save_submission
    from swiftseg.prediction.sources import check_writable

    if dataset.labels != CITYSCAPES_LABELS:
        raise UsageError("--submission is for the 19 classes of Cityscapes, which these data lack")
    check_writable(folder)
    return lambda sample, label_map: save_submission(folder, sample.name, label_map)


def load_model(
    model: str,
    backend: str | None,
    precision: str = "f32",
    calibration_frames: Path | None = None,
) -> LoadedModel:
    """Loads what `model` names: a checkpoint in torch, at any size; all else in an engine.

    The other arguments are those of `find_engine`, and `backend` may be one of `TORCH_WAYS`.
    """
    from swiftseg.evaluation.protocol import NATIVE
    from swiftseg.inference.model_path import model_path
    from swiftseg.runtimes import load_backend
    from swiftseg.weights import shipped_weights

    if not runs_in_torch(model, backend, precision, calibration_frames):
        path = model_path(model)
        engine = find_engine(path, backend, precision, calibration_frames)
        loaded = load_backend(path, name=engine.backend, precision=engine.precision)
        return LoadedModel(loaded.spec, lambda _: loaded, engine.backend, NATIVE)
    spec, backend_at = load_in_torch(model, backend, precision)
    if model in shipped_weights():
        return LoadedModel(spec, backend_at, backend or "torch", NATIVE)
    from swiftseg.trained import checkpoint_recipe
    from swiftseg.training.scoring import recipe_protocol

    protocol = recipe_protocol(checkpoint_recipe(Path(model)))
    return LoadedModel(spec, backend_at, backend or "torch", protocol)
