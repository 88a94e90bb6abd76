"""Reading recipes: YAML files by name or path, with overrides."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from swiftseg.core import UsageError, unknown_name
from swiftseg.core.schema import first_problem
from swiftseg.core.yaml_text import parse_yaml
from swiftseg.recipes.recipe import Recipe


def shipped_recipes() -> list[str]:
    """Names the recipes inside the package."""
    folder = files("swiftseg") / "recipes"
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def load_recipe(recipe: str, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a recipe by its shipped name or its path.

    Args:
        recipe: Such as `enet_camvid`, or a path that ends in .yaml or .yml.
        overrides: `key=value` pairs with dotted keys, such as `optimizer.lr=0.02` or
            `stages.0.epochs=5`; values are read as YAML.

    Raises:
        UsageError: There is no such recipe, a key is unknown or a value is impossible.
    """
    if recipe.endswith((".yaml", ".yml")):
        path = Path(recipe)
        if not path.is_file():
            raise UsageError(f"{path}: no such recipe file")
        text = path.read_text(encoding="utf-8")
    elif recipe in shipped_recipes():
        text = (files("swiftseg") / "recipes" / f"{recipe}.yaml").read_text(encoding="utf-8")
    else:
        raise unknown_name("recipe", recipe, shipped_recipes())
    return parse_recipe(text, origin=recipe, overrides=overrides)


def parse_recipe(text: str, *, origin: str, overrides: Sequence[str] = ()) -> Recipe:
    """Reads a recipe's YAML text; `origin` names it in errors, else as `load_recipe`."""
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
    """Sets one dotted key of the raw recipe; the schema judges key and value afterwards."""
    key, equals, value = override.partition("=")
    if not equals:
        raise UsageError(f"--set {override}: expected key=value, such as optimizer.lr=0.02")
    *parents, last = key.split(".")
    node: Any = fields
    try:
        for parent in parents:
            node = node[int(parent)] if isinstance(node, list) else node.setdefault(parent, {})
        node[int(last) if isinstance(node, list) else last] = yaml.safe_load(value)
    except (AttributeError, IndexError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"--set {override}: the recipe has no place {key!r}") from error
