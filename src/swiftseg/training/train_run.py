"""A whole training, as `swiftseg train` and Python call it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from accelerate.tracking import GeneralTracker

from swiftseg.core import UsageError
from swiftseg.core.log import say
from swiftseg.core.yaml_text import YAML_SUFFIXES
from swiftseg.evaluation import Evaluation
from swiftseg.evaluation.fit_confidence import measure_temperature
from swiftseg.evaluation.report import report_model
from swiftseg.evaluation.unlearned import training_advice
from swiftseg.exporting.checked_export import export_onnx
from swiftseg.inference import Segmenter
from swiftseg.kernels.resize import resize_frame
from swiftseg.recipes import Recipe
from swiftseg.runs import RunFolder
from swiftseg.runtimes.torch_backend import TorchBackend
from swiftseg.trained import load_trained, torch_device
from swiftseg.training.epoch_log import check_trackers
from swiftseg.training.loop import train_recipe
from swiftseg.training.run_log import environment
from swiftseg.training.training_progress import is_first_process
from swiftseg.training.training_recipe import (
    DataSources,
    FoundRecipe,
    find_recipe,
    option_overrides,
    parse_sources,
    recipe_names,
)
from swiftseg.training.validation import recipe_protocol

PARITY_FRAMES = 8  # that the exported model is compared with torch on

Data = str | Path | Sequence[str] | Mapping[str, str | Path]


@dataclass(frozen=True)
class TrainingResult:
    """What has come of a training.

    Attributes:
        folder: The run's folder.
        recipe: The resolved recipe.
        data: Where each data set is, by its name; the empty name stands for all others.
        evaluation: The scores of the best weights.
        scored_on: The frames they were measured on, in words.
        best: The checkpoint with the best weights.
        model: The exported model, where a network was trained by its name; else None.
        report: The report on the exported model; else None.
        advice: What was not learned, why that may be and what to try, line by line.
    """

    folder: Path
    recipe: Recipe
    data: DataSources
    evaluation: Evaluation
    scored_on: str
    best: Path
    model: Path | None = None
    report: Path | None = None
    advice: tuple[str, ...] = ()


def train(
    source: str | Path | None = None,
    *,
    data: Data = (),
    out: Path | str | None = None,
    weights: Path | str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    size_hw: tuple[int, int] | None = None,
    lr: float | None = None,
    precision: Literal["f32", "bf16", "fp16"] | None = None,
    compile: bool | None = None,  # noqa: A002 as torch names it
    hold_out: str | None = None,
    overrides: Sequence[str] = (),
    preset: str | None = None,
    workers: int | None = None,
    trackers: Sequence[str | GeneralTracker] = (),
    resume: bool = False,
    overwrite: bool = False,
) -> TrainingResult:
    """Train a network by a recipe, or by its name on your own data.

    A network's name makes a recipe for the data, `auto` chooses the network and its weights too,
    and the run ends with an exported model and a report. Progress goes to the logger `swiftseg`,
    which writes to stderr.

    Args:
        source: `auto`, a shipped recipe's name, a YAML file, or a network's name. None, or the
            run's folder, takes with `resume` recipe and data of the run.
        data: The folder of the data, or a folder for each data set's name.
        out: The run's folder; None takes `runs/NAME`.
        weights: Shipped weights by name, a checkpoint or a .safetensors file to start from; `none`
            takes random ones where `auto` would choose some.
        epochs: How long the recipe's only stage is.
        batch_size: The total over all devices.
        size_hw: The network's input, (height, width) in pixels.
        lr: The learning rate of the recipe's only stage.
        precision: Of the computation on the device.
        compile: Whether torch compiles the network.
        hold_out: A group of the training frames to score on, in place of the validation split.
        overrides: Other values of the recipe, such as `optimizer.weight_decay=0.01`.
        preset: `tiny` changes the recipe for a dozen images.
        workers: As for `TrainingFrames`.
        trackers: `mlflow` or `wandb`, or a tracker of Accelerate, which get the numbers of every
            epoch too.
        resume: Go on with the run in `out`; with more epochs, its learning rate goes on as that of
            a run which had them from its start.
        overwrite: Start over where `out` holds another run.

    Raises:
        UsageError: A name or value does not exist, or the run cannot be resumed.
        SwiftsegError: Data and recipe don't fit, or a file cannot be read or written.
        StoppedError: Ctrl-C; `resume` goes on.
    """
    if resume and overwrite:
        raise UsageError("--resume continues a run and --overwrite starts over; give one of them")
    check_trackers(trackers)
    source, out = resumed_folder(source, out) if resume else (source, out)
    short = option_overrides(
        epochs=epochs,
        batch_size=batch_size,
        size_hw=size_hw,
        lr=lr,
        precision=precision,
        compile=compile,
        hold_out=hold_out,
    )
    found = find_recipe(
        source,
        as_sources(data),
        [*overrides, *short],
        preset=preset,
        weights=weights,
        resumed=RunFolder(Path(out)) if resume and out is not None else None,
    )
    run = RunFolder(own_folder(found) if out is None else Path(out))
    if is_first_process():
        for line in found.changes:
            say(line)
    data = absolute_sources(found.data)
    command = ["swiftseg", *sys.argv[1:]]
    evaluation = train_recipe(
        found.recipe,
        found.open_split,
        run,
        environment=environment(command, found.source, data, found.initial_weights),
        resume=resume,
        overwrite=overwrite,
        initial_weights=found.initial_weights,
        workers=workers,
        trackers=trackers,
        finish=partial(export_best, found, run) if found.is_own else lambda: None,
    )
    return _result(found, run, evaluation)


def _result(found: FoundRecipe, run: RunFolder, evaluation: Evaluation) -> TrainingResult:
    height, width = found.val_set()[0].mask.shape
    return TrainingResult(
        folder=run.path,
        recipe=found.recipe,
        data=found.data,
        evaluation=evaluation,
        scored_on=found.scored_on,
        best=run.best,
        model=run.model if found.is_own else None,
        report=run.report if found.is_own else None,
        advice=tuple(training_advice(evaluation, run.path, (height, width))),
    )


def resumed_folder(
    source: str | Path | None, out: Path | str | None
) -> tuple[str | Path | None, Path | str | None]:
    """Return the recipe's name and the run's folder, where the folder may stand for both.

    Raises:
        UsageError: It cannot be a recipe's name, and there is no such folder.
    """
    if out is not None or source is None:
        return source, out
    if Path(source).is_dir():
        return None, source
    if str(source) not in recipe_names() and not str(source).endswith(YAML_SUFFIXES):
        raise UsageError(f"{source}: nothing to resume, there is no such folder")
    return source, out


def as_sources(data: Data) -> DataSources:
    """Return where each data set is, by its name; the empty name stands for all others."""
    if isinstance(data, Mapping):
        return {name: str(folder) for name, folder in data.items()}
    if isinstance(data, str | Path):
        return {"": str(data)}
    return parse_sources(data)


def own_folder(found: FoundRecipe) -> Path:
    """Return the folder of a run that nobody named."""
    held_out = found.recipe.hold_out
    without = "" if held_out is None else f"_without_{held_out.replace('/', '_')}"
    return Path("runs") / f"{found.run_name}{without}"


def absolute_sources(data: DataSources) -> list[str]:
    """Return the data as options name them, so that they are found from any folder."""
    folders = {name: Path(folder) for name, folder in data.items()}
    return [
        f"{name}={folder.absolute() if folder.exists() else data[name]}".removeprefix("=")
        for name, folder in folders.items()
    ]


def export_best(found: FoundRecipe, run: RunFolder) -> None:
    """Export the best weights of a run, and write a report on the exported model."""
    val_set = found.val_set()
    network, spec = load_trained(run.best)
    segmenter = Segmenter(TorchBackend(network, spec, device=torch_device()))
    spec = replace(spec, temperature=measure_temperature(segmenter, val_set))
    samples = islice(val_set, PARITY_FRAMES)
    frames = (resize_frame(sample.image, spec.input.size_hw) for sample in samples)
    export_onnx(network, spec, run.model, frames=frames)
    report_model(
        run.report,
        Segmenter.load(run.model),
        val_set,
        origin=(found.data[""], found.scored_on),
        protocol=recipe_protocol(found.recipe),
        run=run.path,
    )
