"""Training: recipe, loop, checkpoint, run folder."""

from swiftseg.training.loop import train
from swiftseg.training.recipe import Recipe
from swiftseg.training.recipe_file import load_recipe, shipped_recipes
from swiftseg.training.run_folder import RunFolder

__all__ = ["Recipe", "RunFolder", "load_recipe", "shipped_recipes", "train"]
