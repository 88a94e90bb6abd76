"""Any segmenter on any data set, by a stated protocol, and its report."""

from swiftseg.evaluation.evaluate_model import (
    count_frames,
    evaluate,
    fitting_protocol,
)
from swiftseg.evaluation.evaluation import Evaluation, FrameCounts
from swiftseg.evaluation.protocol import NATIVE, PROTOCOLS, ScoringProtocol

__all__ = [
    "NATIVE",
    "PROTOCOLS",
    "Evaluation",
    "FrameCounts",
    "ScoringProtocol",
    "count_frames",
    "evaluate",
    "fitting_protocol",
]
