"""Ray in front of labeling, evaluation and training; no model code."""

from swiftseg.cluster.label_images import label_images

__all__ = ["label_images"]
