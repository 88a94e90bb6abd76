"""`swiftseg train`: a recipe and data in, weights out."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from swiftseg.core import MissingExtraError, UsageError

Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe's value: optimizer.lr=0.02."),
]


def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name, or a YAML file.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="The folder of the data (toystreet needs none); NAME=DIR for each of several.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder [runs/RECIPE].")] = None,
    set_: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out where it stopped.")
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes on this machine, one a GPU if there are GPUs.")
    ] = 1,
) -> None:
    """Train a network by a recipe.

    The run's folder gets the resolved recipe, metrics.csv, TensorBoard logs, sample pictures and
    two checkpoints, best.pt and last.pt. Ctrl-C saves; --resume goes on.
    """
    try:
        import accelerate
        import torch
    except ImportError as error:
        raise MissingExtraError("swiftseg train", "train") from error
    del accelerate
    if processes > 1:
        raise typer.Exit(launch(processes, on_gpus=torch.cuda.is_available()))
    run_recipe(recipe, data or [], out, set_ or [], resume=resume)


def run_recipe(
    recipe_name: str, data: list[str], out: Path | None, overrides: list[str], *, resume: bool
) -> None:
    from rich.console import Console

    from swiftseg.cli.score_table import score_table
    from swiftseg.data import Dataset, open_dataset
    from swiftseg.training import RunFolder, load_recipe, train

    recipe = load_recipe(recipe_name, overrides)
    sources = data or ([recipe.data] if recipe.data else [])
    if not sources:
        raise UsageError(f"recipe {recipe_name} needs --data DIR, the folder of its data")
    folders: dict[str, str] = {}
    for given in sources:
        name, _, folder = given.rpartition("=")
        folders[name] = folder

    def open_split(dataset: str | None, split: str) -> Dataset:
        folder = folders.get(dataset or "", folders.get(""))
        if folder is None:
            raise UsageError(f"recipe {recipe_name} needs --data {dataset}=DIR")
        return open_dataset(folder, split, dataset=dataset)

    run = RunFolder(out or Path("runs") / Path(recipe_name).stem)
    evaluation = train(
        recipe,
        open_split,
        run,
        command=["swiftseg", *sys.argv[1:]],
        resume=resume,
    )
    console = Console(quiet=int(os.environ.get("RANK", "0")) > 0)
    console.print(score_table(evaluation, f"{recipe.name} on val"))
    console.print(f"best weights: {run.best}\nnext: swiftseg export {run.best} --out model.onnx")


def launch(processes: int, *, on_gpus: bool) -> int:
    """Starts this very command in several processes through torchrun; gives the exit code."""
    arguments = list(sys.argv[1:])
    at = next(i for i, argument in enumerate(arguments) if argument.startswith("--processes"))
    del arguments[at : at + (1 if "=" in arguments[at] else 2)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += ["--nproc-per-node", str(processes), "-m", "swiftseg"]
    # Accelerate would look for MPI on a machine without GPUs.
    on_cpu = {} if on_gpus else {"ACCELERATE_USE_CPU": "true"}
    one_core_each = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return subprocess.call([*launcher, *arguments], env={**os.environ, **one_core_each, **on_cpu})
