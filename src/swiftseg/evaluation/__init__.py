"""Any segmenter on any data set, by a stated protocol, and its report."""

from swiftseg.evaluation.evaluate import evaluate, evaluate_frames, fitting_protocol
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.protocol import NATIVE, PROTOCOLS, Protocol

__all__ = [
    "NATIVE",
    "PROTOCOLS",
    "Evaluation",
    "Protocol",
    "evaluate",
    "evaluate_frames",
    "fitting_protocol",
]
