"""Reading recipes: YAML files by name or path, with overrides."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from swiftseg.core import UsageError, unknown_name
from swiftseg.core.schema import first_problem
from swiftseg.core.yaml_text import YAML_SUFFIXES, parse_yaml
from swiftseg.recipes.recipe import Recipe, Stage


def shipped_recipes() -> list[str]:
    """List the recipes inside the package."""
    folder = files("swiftseg") / "recipes"
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def load_recipe(source: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by its shipped name or its path.

    Args:
        source: Such as `enet_camvid`, or a path that ends in .yaml or .yml.
        overrides: `key=value` pairs with dotted keys, such as `optimizer.lr=0.02` or
            `stages.0.epochs=5`; values are read as YAML. Where the recipe has one stage, `epochs`
            and the other keys of a stage need no `stages.0.`.

    Raises:
        UsageError: There is no such recipe, a key is unknown or a value is impossible.
    """
    if source.endswith(YAML_SUFFIXES):
        path = Path(source)
        if not path.is_file():
            raise UsageError(f"{path}: no such recipe file")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: cannot be read: {error}") from error
    else:
        text = shipped_text(source)
    return parse_recipe(text, origin=source, overrides=overrides)


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Return values by their dotted keys as `load_recipe` takes them."""
    # As JSON, so that a group named 0016 stays a text.
    return [f"{key}={json.dumps(value)}" for key, value in values.items()]


def shipped_text(name: str) -> str:
    """Return the YAML text of a shipped recipe; raise UsageError where there is none."""
    if name not in shipped_recipes():
        raise unknown_name("recipe", name, shipped_recipes())
    return (files("swiftseg") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")


def headline(text: str) -> str:
    """Return the first sentence of the comment that a recipe begins with."""
    lines = takewhile(lambda line: line.startswith("# "), text.splitlines())
    comment = " ".join(line.removeprefix("# ") for line in lines)
    return re.split("[.:;] ", f"{comment} ")[0].strip().removesuffix(".")


def parse_recipe(text: str, *, origin: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe's YAML text; `origin` names it in errors, else as `load_recipe`."""
    try:
        fields = parse_yaml(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{origin}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise UsageError(f"{origin}: expected keys and values, got {type(fields).__name__}")
    for override in overrides:
        apply_override(cast(dict[str, Any], fields), override)
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        raise UsageError(f"{origin}: {first_problem(error)}") from error


def apply_override(fields: dict[str, Any], override: str) -> None:
    """Set one key of the raw recipe; the schema judges key and value afterwards."""
    key, equals, value = override.partition("=")
    if not equals:
        raise UsageError(f"--set {override}: expected key=value, such as optimizer.lr=0.02")
    *parents, last = full_key(fields, key).split(".")
    node: Any = fields
    try:
        for parent in parents:
            node = node[int(parent)] if isinstance(node, list) else node.setdefault(parent, {})
        node[int(last) if isinstance(node, list) else last] = parse_yaml(value)
    except (AttributeError, IndexError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"--set {override}: the recipe has no place {key!r}") from error


def full_key(fields: dict[str, Any], key: str) -> str:
    """Return the dotted key that a plain one stands for: a stage's, where there is one stage.

    A key that recipe and stages share is the stage's where the only stage has its own value.

    Raises:
        UsageError: It is a stage's, and the recipe has several stages.
    """
    stages = fields.get("stages")
    if key not in Stage.model_fields or key == "name" or not isinstance(stages, list):
        return key
    is_shared = key in Recipe.model_fields
    stage = stages[0] if len(stages) == 1 else None
    if isinstance(stage, dict) and (not is_shared or stage.get(key) is not None):
        return f"stages.0.{key}"
    if is_shared:
        return key
    places = ", ".join(f"stages.{index}.{key}" for index in range(len(stages)))
    raise UsageError(f"--set {key}=...: the recipe has {len(stages)} stages; set one of {places}")
