"""Training: recipe, loop, checkpoint, run folder."""

from swiftseg.recipes.recipe import Recipe
from swiftseg.recipes.recipe_file import load_recipe, shipped_recipes
from swiftseg.training.loop import train
from swiftseg.training.run_folder import RunFolder

__all__ = ["Recipe", "RunFolder", "load_recipe", "shipped_recipes", "train"]
