"""Any segmenter, any data set, one set of scores."""

from swiftseg.evaluation.evaluate import Evaluation, evaluate, evaluate_frames

__all__ = ["Evaluation", "evaluate", "evaluate_frames"]
