"""Recipes: their schema, how they are read, and the shipped ones; needs no torch."""

from swiftseg.recipes.recipe import Recipe
from swiftseg.recipes.recipe_file import as_overrides, load_recipe, shipped_recipes

__all__ = ["Recipe", "as_overrides", "load_recipe", "shipped_recipes"]
