"""Any segmenter, any data set, one set of scores."""

from swiftseg.evaluation.evaluate import evaluate, evaluate_frames
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.protocol import NATIVE, PROTOCOLS, Protocol

__all__ = ["NATIVE", "PROTOCOLS", "Evaluation", "Protocol", "evaluate", "evaluate_frames"]
