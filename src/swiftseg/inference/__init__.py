"""Frame in, label map out: with an exported model, without torch."""

from swiftseg.inference.averaging_segmenter import AveragingSegmenter
from swiftseg.inference.found_model import FoundModel, find_model
from swiftseg.inference.segmentation import Segmentation
from swiftseg.inference.segmenter import Frame, Segmenter

__all__ = [
    "AveragingSegmenter",
    "FoundModel",
    "Frame",
    "Segmentation",
    "Segmenter",
    "find_model",
]
