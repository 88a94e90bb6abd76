"""The recipe that `swiftseg train` is asked for, and what its options change in it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from swiftseg.core import UsageError, unknown_name

if TYPE_CHECKING:
    from swiftseg.training import Recipe
    from swiftseg.training.loop import OpenSplit


@dataclass(frozen=True)
class FoundRecipe:
    """A recipe and its data.

    Attributes:
        recipe: Resolved.
        open_split: Opens its data.
        run_name: The usual name of its run's folder.
        changes: What a preset changed, a line a value.
    """

    recipe: "Recipe"
    open_split: "OpenSplit"
    run_name: str
    changes: tuple[str, ...] = ()


def find_recipe(
    recipe_name: str,
    data: Sequence[str],
    overrides: Sequence[str],
    preset: str | None = None,
    initial_weights: Path | None = None,
) -> FoundRecipe:
    """Makes a recipe and opens its data.

    Args:
        recipe_name: A shipped recipe's name, a YAML file, or a network's name, which stands for a
            recipe that is made for the data.
        data: DIR, or NAME=DIR for each of several.
        overrides: As for `load_recipe`; they have the last word over the preset's.
        preset: One of `PRESETS`.
        initial_weights: The file the training starts from, whose input a network's recipe keeps.
    """
    from swiftseg.training.preset import PRESETS, changes, tiny_overrides

    if preset not in (None, *PRESETS):
        raise unknown_name("preset", preset, PRESETS)
    folders = parse_sources(data)
    if is_network(recipe_name):
        make, open_split, name = own_recipe(recipe_name, folders, initial_weights)
    else:
        make, open_split, name = written_recipe(recipe_name, folders)
    recipe = make(overrides)
    if preset is None:
        return FoundRecipe(recipe, open_split, name)
    count = num_training_images(recipe, open_split)
    changed = make([*tiny_overrides(recipe, count), *overrides])
    about = f"preset {preset} for {count} training images:"
    lines = (about, *(f"  {line}" for line in changes(recipe, changed)))
    return FoundRecipe(changed, open_split, f"{name}_{preset}", lines)


Made = tuple[Callable[[Sequence[str]], "Recipe"], "OpenSplit", str]


def own_recipe(network: str, folders: dict[str, str], initial_weights: Path | None) -> Made:
    """Gives what makes a recipe for a network on the user's data, opens them, and names the run."""
    from swiftseg.trained.initial_weights import input_of_weights
    from swiftseg.training.fine_tune import fine_tuning_recipe
    from swiftseg.training.training_data import split_opener

    if set(folders) != {""}:
        raise UsageError(f"training {network} needs one --data DIR")
    open_split = split_opener(network, folders)
    source = Path(folders[""]).resolve().stem
    train_set = open_split(None, "train")
    learned_with = None if initial_weights is None else input_of_weights(initial_weights)

    def make(overrides: Sequence[str]) -> "Recipe":
        return fine_tuning_recipe(
            network,
            train_set,
            name=f"{network}-{source}",
            source=source,
            learned_with=learned_with,
            overrides=tuple(overrides),
        )

    return make, open_split, f"{network}_{source}"


def written_recipe(recipe_name: str, folders: dict[str, str]) -> Made:
    """Gives what reads a recipe's file, opens its data, and the usual name of its run."""
    from swiftseg.models import NETWORKS
    from swiftseg.training import load_recipe, shipped_recipes
    from swiftseg.training.training_data import split_opener

    if not recipe_name.endswith((".yaml", ".yml")) and recipe_name not in shipped_recipes():
        raise unknown_name("recipe", recipe_name, [*shipped_recipes(), *NETWORKS])
    recipe = load_recipe(recipe_name)
    if not folders and recipe.data:
        folders = {"": recipe.data}
    if not folders:
        raise UsageError(f"recipe {recipe_name} needs --data DIR, the folder of its data")
    open_split = split_opener(recipe_name, folders)
    return partial(load_recipe, recipe_name), open_split, Path(recipe_name).stem


def num_training_images(recipe: "Recipe", open_split: "OpenSplit") -> int:
    """Counts what the last stage learns from."""
    from swiftseg.training.stage_data import divided

    last = recipe.stages[-1]
    dataset = last.dataset or recipe.dataset
    return len(divided(recipe, open_split, dataset, last.train_split, is_final=True)[0])


def is_network(recipe_name: str) -> bool:
    """Tells whether a network is named in place of a recipe."""
    from swiftseg.models import NETWORKS
    from swiftseg.training import shipped_recipes

    return recipe_name in NETWORKS and recipe_name not in shipped_recipes()


def parse_sources(data: Sequence[str]) -> dict[str, str]:
    """Reads DIR and NAME=DIR; the name of the first is empty."""
    parts = (given.rpartition("=") for given in data)
    return {name: folder for name, _, folder in parts}


def option_overrides(
    hold_out: str | None, precision: str | None, compile_: bool | None
) -> list[str]:
    """Writes the options that stand for a recipe's values as overrides."""
    given = {"hold_out": hold_out, "precision": precision, "compile": compile_}
    # As JSON, so that a group named 0016 stays a text.
    return [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
