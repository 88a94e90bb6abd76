"""How a recipe's networks are scored, in training and afterwards."""

from dataclasses import replace

from swiftseg.evaluation import NATIVE, ScoringProtocol
from swiftseg.recipes.recipe import Recipe


def recipe_protocol(recipe: Recipe) -> ScoringProtocol:
    """Return the native protocol with the recipe's classes, in windows where it says so."""
    return replace(
        NATIVE, void_as_class=recipe.void_as_class, sliding=recipe.evaluation.sliding_windows
    )
