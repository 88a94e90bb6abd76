"""The recipe and the data that a training is asked for."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from swiftseg.core import UsageError, unknown_name
from swiftseg.core.shown_text import as_utf8, shown
from swiftseg.core.yaml_text import YAML_SUFFIXES
from swiftseg.data import Dataset
from swiftseg.inference.found_model import find_weights
from swiftseg.models import NETWORKS
from swiftseg.recipes import Recipe, as_overrides, load_recipe, shipped_recipes
from swiftseg.runs import RunFolder
from swiftseg.trained.trained_networks import origin_of_weights
from swiftseg.training.auto import AUTO, choose
from swiftseg.training.fine_tune import fine_tuning_recipe
from swiftseg.training.loop import OpenSplit
from swiftseg.training.preset import PRESETS, changes, tiny_overrides
from swiftseg.training.resuming import refuse_no_run
from swiftseg.training.stage_data import divided
from swiftseg.training.training_data import split_opener

LONGEST_DATA_NAME = 60
NO_WEIGHTS = "none"  # what `--weights` takes to start anew

DataSources = Mapping[str, str]


@dataclass(frozen=True)
class FoundRecipe:
    """A recipe and its data.

    Attributes:
        source: What it was asked for by.
        data: Where each data set is; the empty name stands for all others.
        run_name: The usual name of its run's folder.
        changes: What was chosen for the data, and what a preset changed, line by line.
        initial_weights: The file that the training starts from, or None.
    """

    recipe: Recipe
    open_split: OpenSplit
    source: str
    data: DataSources
    run_name: str
    changes: tuple[str, ...] = ()
    initial_weights: Path | None = None

    @property
    def is_own(self) -> bool:
        """Whether the recipe was made for the user's data, from a network's name or `auto`."""
        return is_network(self.source)

    def val_set(self) -> Dataset:
        """Return what the last stage is scored on."""
        return _last_sets(self.recipe, self.open_split)[1]

    @property
    def scored_on(self) -> str:
        """What that is, in words."""
        held_out, last = self.recipe.hold_out, self.recipe.stages[-1]
        if held_out is None:
            return self.recipe.val_split
        return f"{held_out}, held out of {last.train_split}"


Make = Callable[[Sequence[str]], Recipe]


def find_recipe(
    source: str | Path | None,
    data: DataSources,
    overrides: Sequence[str] = (),
    *,
    preset: str | None = None,
    weights: str | Path | None = None,
    resumed: RunFolder | None = None,
) -> FoundRecipe:
    """Make a recipe and open its data.

    Args:
        source: As `train` takes it; None takes that of the resumed run.
        data: Where each data set is, by its name; the empty name stands for all others.
        overrides: As for `load_recipe`; they have the last word over the preset's.
        preset: One of `PRESETS`.
        weights: What the training starts from, whose input a network's recipe keeps, as
            `find_weights` takes it. `none` takes random weights, and so does None, except that
            `auto` chooses.
        resumed: The run that goes on, which tells what is left out here.

    Raises:
        UsageError: There is no such recipe, preset or value, the data are not named, or their path
            is no text that a run's files can hold.
        SwiftsegError: The data cannot be opened.
    """
    if preset not in (None, *PRESETS):
        raise unknown_name("preset", preset, PRESETS)
    source = None if source is None else str(source)
    for place in data.values():
        if as_utf8(place) != place:
            raise UsageError(
                f"{as_utf8(place)}: a run cannot record this path, which is no UTF-8; rename it"
            )
    if source is None and resumed is None:
        raise UsageError("expected a recipe or a network's name, or --resume and a run's folder")
    initial_weights = None if weights in (None, NO_WEIGHTS) else find_weights(weights)
    if resumed and (source is None or is_network(source)):
        found = _stored_recipe(source, data, overrides, resumed)
        return replace(found, initial_weights=initial_weights or found.initial_weights)
    assert source is not None
    if source == AUTO:
        found, make = _auto_recipe(data, overrides, initial_weights, weights)
    elif is_network(source):
        found, make = _own_recipe(source, data, overrides, initial_weights)
    else:
        found, make = _written_recipe(source, data, overrides)
        found = replace(found, initial_weights=initial_weights)
    return found if preset is None else _with_preset(found, make, preset, overrides)


def _stored_recipe(
    source: str | None, data: DataSources, overrides: Sequence[str], run: RunFolder
) -> FoundRecipe:
    """Return the recipe that a run was started with; the data may have grown meanwhile."""
    refuse_no_run(run)
    environment = run.read_environment()
    stored = environment.recipe if environment else None
    if stored is None and source is None:
        raise UsageError(
            f"{run.path}: does not record which recipe it was started with; name it before --resume"
        )
    if stored and source not in (None, stored):
        raise UsageError(f"{run.path}: the run was started with {stored}, not with {source}")
    name = source or stored or ""
    data = data or parse_sources(environment.data if environment else ())
    recipe = load_recipe(str(run.recipe), overrides)
    started_from = environment.weights if environment else None
    return FoundRecipe(
        recipe,
        split_opener(name, data),
        name,
        data,
        run.path.name,
        initial_weights=None if started_from is None else find_weights(started_from),
    )


def _auto_recipe(
    data: DataSources,
    overrides: Sequence[str],
    initial_weights: Path | None,
    asked: str | Path | None,
) -> tuple[FoundRecipe, Make]:
    """Choose network, weights and settings; weights that are asked for have their own network."""
    if set(data) != {""}:
        raise UsageError(f"training {AUTO} needs one --data DIR")
    train_set = split_opener(AUTO, data)(None, "train")
    own_network = origin_of_weights(initial_weights)[0] if initial_weights else None
    choice = choose(train_set, own_network)
    lines = choice.lines
    if asked is None and choice.weights is not None:
        initial_weights = find_weights(choice.weights)
        lines += (f"auto: starts from {choice.weights}; --weights none takes random weights",)
    overrides = [*choice.overrides, *overrides]
    found, make = _own_recipe(choice.network, data, overrides, initial_weights)
    name = f"{AUTO}_{_name_of(data[''])}"
    if found.recipe.input.size_hw != choice.size_hw:
        height, width = found.recipe.input.size_hw
        lines += (f"auto: trained at {height}x{width} instead, as you asked",)
    found = replace(found, source=AUTO, run_name=name, changes=lines)
    return found, lambda more: make([*choice.overrides, *more])


def _name_of(folder: str) -> str:
    """Return a folder's name as part of a run's, which may be no longer and hold no such signs."""
    name = shown(as_utf8(Path(folder).resolve().stem))
    return re.sub(r"[/\\]", "_", name)[:LONGEST_DATA_NAME]


def _own_recipe(
    network: str, data: DataSources, overrides: Sequence[str], initial_weights: Path | None
) -> tuple[FoundRecipe, Make]:
    if set(data) != {""}:
        raise UsageError(f"training {network} needs one --data DIR")
    open_split = split_opener(network, data)
    source = _name_of(data[""])
    train_set = open_split(None, "train")
    learned_with = origin_of_weights(initial_weights)[1] if initial_weights else None

    def make(overrides: Sequence[str]) -> Recipe:
        return fine_tuning_recipe(
            network,
            train_set,
            name=f"{network}-{source}",
            source=source,
            learned_with=learned_with,
            overrides=tuple(overrides),
        )

    found = FoundRecipe(
        make(overrides),
        open_split,
        network,
        data,
        f"{network}_{source}",
        initial_weights=initial_weights,
    )
    return found, make


def recipe_names() -> list[str]:
    """List what a training may be called by: `auto`, the shipped recipes and the networks."""
    return [AUTO, *shipped_recipes(), *NETWORKS]


def _written_recipe(
    source: str, data: DataSources, overrides: Sequence[str]
) -> tuple[FoundRecipe, Make]:
    if not source.endswith(YAML_SUFFIXES) and source not in shipped_recipes():
        raise unknown_name("recipe", source, recipe_names())
    recipe = load_recipe(source, overrides)
    if not data and recipe.data:
        data = {"": recipe.data}
    if not data:
        raise UsageError(f"recipe {source} needs --data DIR, the folder of its data")
    open_split = split_opener(source, data)
    found = FoundRecipe(recipe, open_split, source, data, Path(source).stem)
    return found, partial(load_recipe, source)


def _with_preset(
    found: FoundRecipe, make: Make, preset: str, overrides: Sequence[str]
) -> FoundRecipe:
    count = len(_last_sets(found.recipe, found.open_split)[0])
    changed = make([*tiny_overrides(found.recipe, count), *overrides])
    lines = [f"preset {preset} for {count} training images:"]
    lines += [f"  {line}" for line in changes(found.recipe, changed)]
    name = f"{found.run_name}_{preset}"
    return replace(found, recipe=changed, run_name=name, changes=(*found.changes, *lines))


def _last_sets(recipe: Recipe, open_split: OpenSplit) -> tuple[Dataset, Dataset]:
    """Return what the last stage learns from and what it is scored on."""
    last = recipe.stages[-1]
    dataset = last.dataset or recipe.dataset
    return divided(recipe, open_split, dataset, last.train_split, is_final=True)


def is_network(source: str) -> bool:
    """Whether a network, or `auto`, is named in place of a recipe."""
    return source == AUTO or (source in NETWORKS and source not in shipped_recipes())


def parse_sources(data: Sequence[str]) -> dict[str, str]:
    """Read DIR and NAME=DIR; the name of the first is empty."""
    parts = (given.rpartition("=") for given in data)
    return {name: folder for name, _, folder in parts}


def option_overrides(**values: Any) -> list[str]:
    """Return options that stand for a recipe's values as overrides; None leaves one out."""
    keys = {"size_hw": "input.size_hw"}
    given = {keys.get(name, name): value for name, value in values.items() if value is not None}
    return as_overrides(given)
