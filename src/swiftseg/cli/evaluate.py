"""`swiftseg evaluate`: a model and labeled data in, scores out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import MissingExtraError

if TYPE_CHECKING:
    from swiftseg.inference import Segmenter

CHECKPOINT_SUFFIXES = (".pt", ".pth")


def evaluate(
    model: Annotated[
        str, typer.Argument(help="A shipped model's name, an exported file, or a checkpoint.")
    ],
    data: Annotated[str, typer.Option(help="The folder of the labeled data, or toystreet.")],
    split: Annotated[str, typer.Option(help="The part of the data to score.")] = "val",
    backend: Annotated[str, typer.Option(help="The engine for exported files.")] = "onnxruntime",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Score a model on labeled data.

    IoU and accuracy come from one confusion matrix at label resolution; void is ignored.
    """
    from rich.console import Console
    from rich.progress import track

    from swiftseg.cli.score_table import score_table
    from swiftseg.data import open_dataset
    from swiftseg.evaluation import Evaluation, evaluate_frames

    dataset = open_dataset(data, split)
    segmenter = load_segmenter(model, backend)
    evaluation = Evaluation(dataset.labels)
    running = evaluate_frames(segmenter, dataset)
    bar = Console(stderr=True)
    for evaluation in track(  # noqa: B007 the last one is the result
        running,
        "evaluating",
        total=len(dataset),
        console=bar,
        transient=True,
        disable=not bar.is_terminal,
    ):
        pass
    if as_json:
        origin = {"model": segmenter.spec.name, "file": model, "data": data, "split": split}
        print(json.dumps({**origin, **evaluation.to_dict()}))  # noqa: T201 the command's output
    else:
        Console().print(score_table(evaluation, f"{segmenter.spec.name} on {split} of {data}"))


def load_segmenter(model: str, backend: str) -> "Segmenter":
    """Loads what `model` names; a checkpoint runs in torch, everything else in `backend`."""
    from swiftseg.inference import Segmenter

    if Path(model).suffix not in CHECKPOINT_SUFFIXES:
        return Segmenter.load(model, backend=backend)
    try:
        from swiftseg.runtimes.torch_backend import TorchBackend
        from swiftseg.training.checkpoint import load_network
    except ImportError as error:
        raise MissingExtraError(f"evaluating the checkpoint {model}", "train") from error
    return Segmenter(TorchBackend(*load_network(Path(model))))
