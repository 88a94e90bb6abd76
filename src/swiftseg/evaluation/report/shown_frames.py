"""The frames that a report shows, with their label maps."""

from dataclasses import dataclass

import numpy as np

from swiftseg.core import Sample
from swiftseg.data import Dataset
from swiftseg.evaluation.protocol import ScoringProtocol
from swiftseg.evaluation.report.frame_scores import FrameScores
from swiftseg.inference import AveragingSegmenter, Segmenter


@dataclass(frozen=True)
class ShownFrame:
    """A frame worth a look.

    Attributes:
        kind: `best`, `median` or `worst`.
        score: Its own mean IoU, 0..1.
        label_map: uint8 (H, W), the prediction.
    """

    kind: str
    score: float
    sample: Sample
    label_map: np.ndarray


def shown_frames(
    segmenter: Segmenter | AveragingSegmenter,
    dataset: Dataset,
    scores: FrameScores,
    *,
    protocol: ScoringProtocol,
) -> list[ShownFrame]:
    """Read and segment the best, the median and the worst frames once more.

    Nobody knows the median before the last frame, and keeping all of them would cost memory.
    """
    view = protocol.view(dataset)
    shown: list[ShownFrame] = []
    for kind, indices in scores.chosen().items():
        for index in indices:
            sample = view[index]
            label_map = segmenter(sample.image).label_map
            shown.append(ShownFrame(kind, scores.mean_iou[index], sample, label_map))
    return shown
