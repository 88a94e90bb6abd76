"""`swiftseg train`: a recipe and data in, weights out."""

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import MissingExtraError, UsageError, unknown_name
from swiftseg.training.training_recipe import (
    FoundRecipe,
    find_recipe,
    is_network,
    option_overrides,
    parse_sources,
)
from swiftseg.weights import shipped_weights

if TYPE_CHECKING:
    import numpy as np

    from swiftseg.data import Dataset
    from swiftseg.evaluation import Evaluation
    from swiftseg.training import Recipe, RunFolder

PARITY_FRAMES = 8
MODEL_NAME, REPORT_NAME = "model.onnx", "report.html"

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe's value: optimizer.lr=0.02."),
]


def train(
    recipe: Annotated[
        str, typer.Argument(help="A shipped recipe's name, a YAML file, or a network's name.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="The folder of the data (toystreet needs none); NAME=DIR for each of several.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder [runs/RECIPE].")] = None,
    set_: Overrides = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Start from shipped weights, a checkpoint or a .safetensors file.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out where it stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start over where --out holds another run.")
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(metavar="tiny", help="Change the recipe for a dozen images; says what."),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="f32|bf16|fp16", help="In place of the recipe's.")
    ] = None,
    compile_: Annotated[
        bool | None,
        typer.Option("--compile/--no-compile", help="In place of the recipe's."),
    ] = None,
    overfit_one_batch: Annotated[
        bool,
        typer.Option(
            "--overfit-one-batch",
            help="Test that the network learns one batch by heart; keeps nothing, fails with 1.",
        ),
    ] = False,
    hold_out: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP",
            help="Learn nothing from a group of the training frames, such as CamVid's sequence "
            "0016E5 or a city of Cityscapes, and score on it in place of val.",
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes on this machine, one a GPU if there are GPUs.")
    ] = 1,
) -> None:
    """Train a network by a recipe, or by its name on your own data.

    A network's name makes a recipe for the data: classes, sizes, class weights and the number of
    epochs come from it, and the run ends with an exported model and a report.

    The run's folder gets the resolved recipe, metrics.csv, TensorBoard logs, sample pictures and
    two checkpoints, best.pt and last.pt. Ctrl-C saves; --resume goes on.
    """
    try:
        import accelerate
        import torch
    except ImportError as error:
        raise MissingExtraError("swiftseg train", "train") from error
    del accelerate, torch
    if resume and overwrite:
        raise UsageError("--resume goes on and --overwrite starts over; give one of them")
    if overfit_one_batch and processes > 1:
        raise UsageError("--overfit-one-batch runs in one process; leave out --processes")
    overrides = [*(set_ or []), *option_overrides(hold_out, precision, compile_)]
    initial_weights = None if weights is None else find_weights(weights)
    found = find_recipe(recipe, data or [], overrides, preset, initial_weights)
    if processes > 1:  # only now, so that a wrong option is said once
        raise typer.Exit(launch(processes))
    if is_first_process():
        for line in found.changes:
            typer.echo(line, err=True)
    if overfit_one_batch:
        raise typer.Exit(run_self_test(found))
    places = (data or [], out, initial_weights)
    run_recipe(found, recipe, *places, resume=resume, overwrite=overwrite)


def run_self_test(found: FoundRecipe) -> int:
    """Learns one batch by heart and says how that went; gives the exit code."""
    from swiftseg.core.progress import LateProgress
    from swiftseg.training.overfit import MAX_STEPS, PASSING_SHARE, overfit_one_batch

    with LateProgress("learning one batch") as progress:
        progress.expect(MAX_STEPS)
        test = overfit_one_batch(
            found.recipe,
            found.open_split,
            show=lambda step, loss: progress.advance(f"loss {loss:.4f}"),
        )
    first, last = test.losses[0], test.losses[-1]
    typer.echo(
        f"{'pass' if test.passed else 'FAIL'}: the loss of one batch went from {first:.4f} to "
        f"{last:.4f} in {len(test.losses)} steps; "
        f"expected {PASSING_SHARE * first:.4f} within {MAX_STEPS}"
    )
    return 0 if test.passed else 1


def run_recipe(
    found: FoundRecipe,
    recipe_name: str,
    data: list[str],
    out: Path | None,
    initial_weights: Path | None,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    from rich.console import Console

    from swiftseg.cli.score_table import score_table
    from swiftseg.training import RunFolder, train
    from swiftseg.training.stage_data import divided

    recipe, open_split, name = found.recipe, found.open_split, found.run_name
    held_out, scored_on = recipe.hold_out, recipe.val_split
    if held_out is not None:
        name = f"{name}_without_{held_out.replace('/', '_')}"
        scored_on = f"{held_out}, held out of {recipe.stages[-1].train_split}"
    run = RunFolder(out or Path("runs") / name)
    evaluation = train(
        recipe,
        open_split,
        run,
        command=["swiftseg", *sys.argv[1:]],
        resume=resume,
        overwrite=overwrite,
        initial_weights=initial_weights,
    )
    if not is_first_process():
        return
    console = Console()
    console.print(score_table(evaluation, f"{recipe.name} on {scored_on}"))
    console.print(f"best weights: {run.best}", soft_wrap=True)
    if is_network(recipe_name):
        last = recipe.stages[-1]
        key = (last.dataset or recipe.dataset, last.train_split)
        _, val_set = divided(recipe, open_split, *key, is_final=True)
        frames = (sample.image for sample in val_set)
        exported = export_best(run, evaluation, frames, scored_on)
        console.print(exported, highlight=False, soft_wrap=True)
        told = report_best(run, recipe, val_set, (parse_sources(data)[""], scored_on))
        console.print(told, highlight=False, soft_wrap=True, markup=False)
    else:
        console.print(f"next: swiftseg export {run.best} --out model.onnx", soft_wrap=True)


def find_weights(weights: str) -> Path:
    """Finds the file of a shipped name, or takes the path as it is."""
    shipped = shipped_weights()
    path = shipped.get(weights, Path(weights))
    if path.is_file():
        return path
    if path.suffix:
        raise UsageError(f"{path}: no such file to start from")
    raise unknown_name("weights", weights, shipped)


def export_best(
    run: "RunFolder", evaluation: "Evaluation", frames: Iterable["np.ndarray"], scored_on: str
) -> str:
    """Exports the best weights beside them, and reports in one line what has come of the run."""
    import numpy as np
    from PIL import Image

    from swiftseg.cli.score_table import percent
    from swiftseg.exporting import export_onnx
    from swiftseg.trained.checkpoint import load_network

    network, spec = load_network(run.best)
    size_wh = spec.input.size_hw[1], spec.input.size_hw[0]
    resized = (
        np.asarray(Image.fromarray(frame).resize(size_wh, Image.Resampling.BILINEAR))
        for frame in islice(frames, PARITY_FRAMES)
    )
    path = run.path / MODEL_NAME
    export_onnx(network, spec, path, frames=resized)
    mean_iou = percent(evaluation.scores.mean_iou)
    return (
        f"{path}: {spec.name}, {len(spec.labels)} classes, "
        f"mIoU {mean_iou} % on {evaluation.frames} frames of {scored_on}\n"
        f"next: swiftseg predict IMAGE --model {path}"
    )


def report_best(
    run: "RunFolder", recipe: "Recipe", val_set: "Dataset", origin: tuple[str, str]
) -> str:
    """Writes the report of the exported model beside it; says in one line where it is.

    `origin` says where the data of `val_set` are, and what part of them it is.
    """
    from swiftseg.cli.score_table import mean_iou
    from swiftseg.evaluation.report import report_model
    from swiftseg.inference import Segmenter, find_model
    from swiftseg.training.scoring import recipe_protocol

    exported, path = run.path / MODEL_NAME, run.path / REPORT_NAME
    segmenter = Segmenter.load(exported)
    evaluation = report_model(
        path,
        find_model(exported),
        segmenter,
        val_set,
        origin=origin,
        protocol=recipe_protocol(recipe),
        run=run.path,
    )
    data, split = origin
    return (
        f"{path}: {segmenter.spec.name} on {split} of {data}, "
        f"mIoU {mean_iou(evaluation)} % on {evaluation.frames} frames"
    )


def is_first_process() -> bool:
    """Tells whether this process prints, of those that torchrun has started."""
    return os.environ.get("RANK", "0") == "0"


def launch(processes: int) -> int:
    """Starts this very command in several processes through torchrun; gives the exit code."""
    arguments = list(sys.argv[1:])
    at = next(i for i, argument in enumerate(arguments) if argument.startswith("--processes"))
    del arguments[at : at + (1 if "=" in arguments[at] else 2)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc-per-node", str(processes), "-m", "swiftseg"]
    one_core_each = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return subprocess.call([*launcher, *arguments], env={**os.environ, **one_core_each})
