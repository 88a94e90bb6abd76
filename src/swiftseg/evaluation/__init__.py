"""Any segmenter on any data set, by a stated protocol, and its report."""

from swiftseg.evaluation.evaluate_model import evaluate, evaluate_frames, fitting_protocol
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.protocol import NATIVE, PROTOCOLS, ScoringProtocol

__all__ = [
    "NATIVE",
    "PROTOCOLS",
    "Evaluation",
    "ScoringProtocol",
    "evaluate",
    "evaluate_frames",
    "fitting_protocol",
]
