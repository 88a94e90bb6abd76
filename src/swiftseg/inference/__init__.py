"""Frame in, label map out: with an exported model, without torch."""

from swiftseg.inference.averaging_segmenter import AveragingSegmenter
from swiftseg.inference.segmentation import Segmentation
from swiftseg.inference.segmenter import Frame, Segmenter

__all__ = ["AveragingSegmenter", "Frame", "Segmentation", "Segmenter"]
