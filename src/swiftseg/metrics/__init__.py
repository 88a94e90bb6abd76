"""Scores of segmentation, one definition for every runtime."""

from swiftseg.metrics.confusion import Scores, confusion_matrix, scores

__all__ = ["Scores", "confusion_matrix", "scores"]
