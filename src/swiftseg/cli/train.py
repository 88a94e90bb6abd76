"""`swiftseg train`: a recipe and data in, weights out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swiftseg.core import MissingExtraError, UsageError, unknown_name
from swiftseg.weights import shipped_weights

if TYPE_CHECKING:
    import numpy as np

    from swiftseg.data import Dataset
    from swiftseg.evaluation import Evaluation
    from swiftseg.training import Recipe, RunFolder
    from swiftseg.training.loop import OpenSplit

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
    del accelerate
    if processes > 1:
        raise typer.Exit(launch(processes, on_gpus=torch.cuda.is_available()))
    overrides = list(set_ or [])
    if hold_out is not None:
        overrides.append(f"hold_out={json.dumps(hold_out)}")  # quoted: YAML makes numbers of some
    run_recipe(recipe, data or [], out, overrides, weights=weights, resume=resume)


def run_recipe(
    recipe_name: str,
    data: list[str],
    out: Path | None,
    overrides: list[str],
    *,
    weights: str | None,
    resume: bool,
) -> None:
    from rich.console import Console

    from swiftseg.cli.score_table import score_table
    from swiftseg.training import RunFolder, train
    from swiftseg.training.stage_data import divided

    initial_weights = None if weights is None else find_weights(weights)
    recipe, open_split, name = find_recipe(recipe_name, data, overrides)
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
        initial_weights=initial_weights,
    )
    if int(os.environ.get("RANK", "0")) > 0:
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


def find_recipe(
    recipe_name: str, data: list[str], overrides: list[str]
) -> "tuple[Recipe, OpenSplit, str]":
    """Gives the recipe, what opens its data, and the run's usual name.

    A network's name stands for a recipe that is made for the data.
    """
    from swiftseg.cli.training_data import split_opener
    from swiftseg.models import NETWORKS
    from swiftseg.training import load_recipe, shipped_recipes
    from swiftseg.training.fine_tune import fine_tuning_recipe

    folders = parse_sources(data)
    if is_network(recipe_name):
        if set(folders) != {""}:
            raise UsageError(f"training {recipe_name} needs one --data DIR")
        open_split = split_opener(recipe_name, folders)
        of_data = Path(folders[""]).resolve().stem
        recipe = fine_tuning_recipe(
            recipe_name,
            open_split(None, "train"),
            name=f"{recipe_name}-{of_data}",
            source=of_data,
            overrides=tuple(overrides),
        )
        return recipe, open_split, f"{recipe_name}_{of_data}"
    if not recipe_name.endswith((".yaml", ".yml")) and recipe_name not in shipped_recipes():
        raise unknown_name("recipe", recipe_name, [*shipped_recipes(), *NETWORKS])
    recipe = load_recipe(recipe_name, overrides)
    if not folders and recipe.data:
        folders = {"": recipe.data}
    if not folders:
        raise UsageError(f"recipe {recipe_name} needs --data DIR, the folder of its data")
    return recipe, split_opener(recipe_name, folders), Path(recipe_name).stem


def is_network(recipe_name: str) -> bool:
    """Tells whether a network is named in place of a recipe."""
    from swiftseg.models import NETWORKS
    from swiftseg.training import shipped_recipes

    return recipe_name in NETWORKS and recipe_name not in shipped_recipes()


def parse_sources(data: list[str]) -> dict[str, str]:
    """Reads DIR and NAME=DIR; the name of the first is empty."""
    parts = (given.rpartition("=") for given in data)
    return {name: folder for name, _, folder in parts}


def export_best(
    run: "RunFolder", evaluation: "Evaluation", frames: Iterable["np.ndarray"], scored_on: str
) -> str:
    """Exports the best weights beside them, and reports in one line what has come of the run."""
    import numpy as np
    from PIL import Image

    from swiftseg.cli.score_table import percent
    from swiftseg.export import export_onnx
    from swiftseg.training.checkpoint import load_network

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
    from swiftseg.cli.evaluate import load_model
    from swiftseg.cli.report_file import Measurement, write_measurement
    from swiftseg.training.scoring import recipe_protocol

    loaded = load_model(str(run.path / MODEL_NAME), "onnxruntime")
    protocol = recipe_protocol(recipe)
    measurement = Measurement(
        str(run.path / MODEL_NAME), *origin, protocol, loaded.engine, run.path
    )
    segmenter = protocol.segmenter(loaded.spec, loaded.backend_at)
    return write_measurement(run.path / REPORT_NAME, measurement, segmenter, val_set)


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
