"""Training: by a recipe, or a network on the user's own data."""

from swiftseg.training.train_run import TrainingResult, train

__all__ = ["TrainingResult", "train"]
