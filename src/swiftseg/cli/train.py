"""`swiftseg train`: a recipe and data in, weights out."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swiftseg.cli.options import HoldOutOption, SetOption, SizeOption, parse_size
from swiftseg.cli.plain_output import terminal
from swiftseg.core import UsageError, needs_extra

if TYPE_CHECKING:
    from swiftseg.training import TrainingResult
    from swiftseg.training.seeds import SeedsResult
    from swiftseg.training.training_recipe import FoundRecipe


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="auto, a shipped recipe, a YAML file, or a network."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the data, or NAME=DIR for each.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="runs/RECIPE")
    ] = None,
    set_: SetOption = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Initial weights: shipped ones, a file, or none.",
            show_default="auto's choice, else none",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; with --resume, of the whole run.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Frames per step, over all devices.")
    ] = None,
    size: SizeOption = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes that read frames; 0 for none.",
            show_default="up to 4",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a stopped run: --resume RUN.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --out.")
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(metavar="tiny", help="Adapt the recipe to a dozen images."),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="f32|bf16|fp16", help="Replaces the recipe's.")
    ] = None,
    compile_: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="Replaces the recipe's.")
    ] = None,
    overfit_one_batch: Annotated[
        bool,
        typer.Option(
            "--overfit-one-batch",
            help="Test whether it can overfit one batch.",
        ),
    ] = False,
    hold_out: HoldOutOption = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="0,1,2", help="Train once per seed; print mean and deviation."),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(metavar="mlflow|wandb", help="Also log every epoch to this tracker."),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes on this machine, one per GPU.")
    ] = 1,
) -> None:
    """Train a network by a recipe, or by its name on your own data.

    A network's name makes a recipe for the data: classes, sizes, class weights and the number of
    epochs come from it, and the run ends with an exported model and a report. With `auto` the
    network and the weights to start from are chosen as well: by the number of pictures, by how
    rare the rarest class is and by how thin the thinnest objects are.

    The run's folder gets the resolved recipe, metrics.csv, TensorBoard logs, sample pictures and
    two checkpoints, best.pt and last.pt. Ctrl-C saves. `swiftseg train --resume RUN` goes on, and
    needs no recipe again; with more `--epochs` it extends the run, and the learning rate goes on as
    if the run had had that many epochs from its start.

    A group to hold out is a video sequence or a city, such as 0016E5 of CamVid.
    """
    with needs_extra("swiftseg train", "train"):
        from swiftseg import training
        from swiftseg.runs import RunFolder
        from swiftseg.training.seeds import train_seeds
        from swiftseg.training.stage import check_networks
        from swiftseg.training.train_run import resumed_folder
        from swiftseg.training.training_recipe import find_recipe, option_overrides, parse_sources
    if seeds is not None and (processes > 1 or overfit_one_batch or not recipe):
        raise UsageError("--seeds needs a recipe, and no --processes and --overfit-one-batch")
    if overfit_one_batch and processes > 1:
        raise UsageError("--overfit-one-batch runs in one process; leave out --processes")
    name, folder = resumed_folder(recipe, out) if resume else (recipe, out)
    overrides = set_ or []
    overrides += option_overrides(
        epochs=epochs,
        batch_size=batch_size,
        size_hw=parse_size(size),
        lr=lr,
        hold_out=hold_out,
        precision=precision,
        compile=compile_,
    )
    if processes > 1 or overfit_one_batch:
        found = find_recipe(
            name,
            parse_sources(data or []),
            overrides,
            preset=preset,
            weights=weights,
            resumed=RunFolder(Path(folder)) if resume and folder else None,
        )
        # Found before several processes start, so that a wrong option is reported once.
        check_networks(found.recipe, processes)
        raise typer.Exit(launch(processes) if processes > 1 else run_self_test(found))
    options: dict[str, Any] = {
        "data": data or [],
        "out": folder,
        "weights": weights,
        "overrides": overrides,
        "preset": preset,
        "workers": workers,
        "trackers": track.split(",") if track else (),
        "resume": resume,
        "overwrite": overwrite,
    }
    if seeds is not None:
        options["out"] = out
        print_seeds(train_seeds(recipe or "", parse_seeds(seeds), **options))
    else:
        print_result(training.train(name, **options))


def parse_seeds(text: str) -> list[int]:
    """Read seeds such as 0,1,2."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(
            f"expected --seeds as comma-separated numbers, such as 0,1,2, got {text!r}"
        )
    return [int(part) for part in parts]


def print_seeds(found: "SeedsResult") -> None:
    """Print each seed's score and what it has not learned, then their mean and deviation."""
    from swiftseg.cli.score_table import percent

    for result in found.results:
        typer.echo(f"{result.folder}: mIoU {percent(result.evaluation.scores.mean_iou)} %")
        for line in result.advice:
            typer.echo(line)
    typer.echo(
        f"mIoU {percent(found.mean)} ± {percent(found.deviation)} %, mean and deviation of "
        f"{len(found.results)} seeds on {found.results[0].scored_on}"
    )


def print_result(result: "TrainingResult") -> None:
    """Print the scores of the best weights, which files there are now, and what to type next."""
    from swiftseg.cli.score_table import percent, score_table
    from swiftseg.training.training_progress import is_first_process

    if not is_first_process():
        return
    console, evaluation = terminal(), result.evaluation
    name, scored_on = result.recipe.name, result.scored_on
    console.print(score_table(evaluation, f"{name} on {scored_on}"))
    console.print(f"best weights: {result.best}")
    if result.model is None:
        console.print(f"next: swiftseg export {result.best} --out model.onnx")
    else:
        classes = f"{name}, {len(evaluation.data_labels)} classes"
        score = f"mIoU {percent(evaluation.scores.mean_iou)} % on {evaluation.frames} frames"
        console.print(f"{result.model}: {classes}, {score} of {scored_on}")
        console.print(f"next: swiftseg predict IMAGE --model {result.model}")
        console.print(f"{result.report}: {name} on {scored_on} of {result.data['']}, {score}")
    for line in result.advice:
        console.print(line)


def run_self_test(found: "FoundRecipe") -> int:
    """Overfit one batch and print how that went; return the exit code."""
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


def launch(processes: int) -> int:
    """Start this very command in several processes through torchrun; return the exit code."""
    arguments = list(sys.argv[1:])
    at = next(i for i, argument in enumerate(arguments) if argument.startswith("--processes"))
    del arguments[at : at + (1 if "=" in arguments[at] else 2)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc-per-node", str(processes), "-m", "swiftseg"]
    one_core_each = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return subprocess.call([*launcher, *arguments], env={**os.environ, **one_core_each})
