"""A recipe: everything that decides a training, as one YAML file.

Recipes do not inherit from each other. Unknown keys are errors that name the known ones, and the
resolved recipe, overrides included, is stored in every checkpoint.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from swiftseg.core import InputSpec, UsageError, unknown_name


class Section(BaseModel):
    """A part of a recipe; refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def refuse_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for key in cast(dict[str, Any], values):
                if key not in cls.model_fields:
                    raise ValueError(str(unknown_name("key", str(key), cls.model_fields)))
        return values


class Input(Section):
    """The frames as the network gets them; see `InputSpec`."""

    size_hw: tuple[int, int]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def to_spec(self) -> InputSpec:
        return InputSpec(size_hw=self.size_hw, mean=self.mean, std=self.std)


class ClassWeights(Section):
    """ENet's class weighting, 1 / ln(c + p) (section 5.2 of its paper)."""

    name: Literal["enet"]
    c: float = Field(default=1.02, gt=1.0)


class Optimizer(Section):
    """`adam` couples weight decay with the gradient (L2), `adamw` decouples it."""

    name: Literal["adam", "adamw", "sgd"]
    lr: float = Field(gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)


class Schedule(Section):
    """The learning rate over a stage: `step` needs `every` (epochs); `poly` and `one_cycle` don't."""

    name: Literal["constant", "step", "poly", "one_cycle"]
    every: int = Field(default=100, ge=1)
    gamma: float = Field(default=0.1, gt=0, le=1)
    power: float = Field(default=0.9, gt=0)
    warmup: float = Field(default=0.3, gt=0, lt=1)


class Stage(Section):
    """One training; every stage but the first starts from the best weights of the one before.

    `coarse` trains a network's `forward_coarse` against the mask at the size of those logits.
    """

    name: str
    network: str
    options: dict[str, str | int | float | bool] = {}
    epochs: int = Field(ge=1)
    coarse: bool = False
    schedule: Schedule


class Recipe(Section):
    """A whole training.

    `data` names a data set that needs no folder (`toystreet`); otherwise `--data` gives one.
    `batch_size` is the total over all devices.
    """

    name: str
    data: str | None = None
    training_data: str
    license_note: str
    num_classes: int = Field(ge=1, le=255)
    input: Input
    batch_size: int = Field(ge=1)
    seed: int = 0
    precision: Literal["f32", "bf16", "fp16"] = "f32"
    compile: bool = False
    class_weights: ClassWeights | None = None
    optimizer: Optimizer
    validate_every: int = Field(default=1, ge=1)
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def refuse_repeated_stage_names(self) -> "Recipe":
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"stage names repeat: {', '.join(names)}")
        return self


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
        fields = yaml.safe_load(text)
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


def first_problem(error: ValidationError) -> str:
    """Says in one line where the first problem is, what came and what would be right."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    value = problem["input"]
    got = f", got {value!r}" if isinstance(value, str | int | float | bool) else ""
    return f"{place}: {message}{got}" if place else message
