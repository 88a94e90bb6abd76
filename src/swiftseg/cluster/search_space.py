"""What a search may change in a recipe: values to choose from, and ranges to draw from."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import exp, log
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import yaml
from pydantic import ValidationError, model_validator

from swiftseg.core import UsageError
from swiftseg.core.schema import Section, first_problem
from swiftseg.core.yaml_text import parse_yaml

EXAMPLE = "optimizer.lr: {min: 0.0001, max: 0.01, log: true}"


class Range(Section):
    """A range of numbers.

    Attributes:
        min: The lowest.
        max: The highest.
        log: Whether the logarithm is drawn evenly, as suits learning rates.
        integer: Whether only whole numbers are drawn.
    """

    min: float
    max: float
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.min < self.max:
            raise ValueError(f"expected min below max, got {self.min:g} and {self.max:g}")
        if self.log and self.min <= 0:
            raise ValueError(f"expected min above 0 with log: true, got {self.min:g}")
        return self

    def draw(self, rng: np.random.Generator) -> float | int:
        """Return a number of the range."""
        if self.log:
            value = exp(rng.uniform(log(self.min), log(self.max)))
        else:
            value = rng.uniform(self.min, self.max)
        return round(value) if self.integer else float(f"{value:.4g}")


Space = Mapping[str, list[Any] | Range]
Values = dict[str, Any]


def read_space(path: Path) -> Space:
    """Read a search space: keys of a recipe, each with a list of values or a `Range`.

    Raises:
        UsageError: The file cannot be read, is empty, or a value is neither.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not content:
        raise UsageError(f"{path}: expected keys of a recipe and their values, such as {EXAMPLE}")
    fields = cast(dict[Any, Any], content)
    return {str(key): _choices(path, str(key), values) for key, values in fields.items()}


def _choices(path: Path, key: str, values: Any) -> list[Any] | Range:
    if isinstance(values, list) and values:
        return cast(list[Any], values)
    if not isinstance(values, dict):
        raise UsageError(
            f"{path}: {key}: expected a list of values or a range such as {EXAMPLE}, got {values!r}"
        )
    try:
        return Range.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{path}: {key}: {first_problem(error)}") from error


def draw_trials(space: Space, count: int | None) -> list[Values]:
    """Return the values of each trial, the same for the same space and count.

    Args:
        space: What may change.
        count: How many are drawn at random; None takes every combination once.

    Raises:
        UsageError: There is no count, and a range has no end of combinations.
    """
    if count is not None:
        rng = np.random.default_rng(0)
        return [{key: _drawn(values, rng) for key, values in space.items()} for _ in range(count)]
    lists: list[Sequence[Any]] = []
    for key, values in space.items():
        if isinstance(values, Range):
            raise UsageError(f"{key} is a range; set the number of draws with --trials")
        lists.append(values)
    return [dict(zip(space, chosen, strict=True)) for chosen in product(*lists)]


def _drawn(values: list[Any] | Range, rng: np.random.Generator) -> Any:
    return values.draw(rng) if isinstance(values, Range) else values[rng.integers(len(values))]
