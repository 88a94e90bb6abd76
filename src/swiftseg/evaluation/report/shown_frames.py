"""The frames that a report shows, as pictures."""

from dataclasses import dataclass

from swiftseg.core import LabelSet
from swiftseg.data import Dataset
from swiftseg.evaluation.protocol import ScoringProtocol
from swiftseg.evaluation.report.frame_pictures import frame_pictures
from swiftseg.evaluation.report.frame_scores import FrameScores
from swiftseg.inference import AveragingSegmenter, Segmenter


@dataclass(frozen=True)
class ShownFrame:
    """A frame worth a look.

    Attributes:
        kind: `best`, `median` or `worst`.
        score: Its own mean IoU, 0..1.
        size_hw: Of its mask.
        pictures: `frame_pictures`, small ones: of the frame itself nothing is kept.
    """

    kind: str
    score: float
    name: str
    size_hw: tuple[int, ...]
    pictures: dict[str, str]


def shown_frames(
    segmenter: Segmenter | AveragingSegmenter,
    dataset: Dataset,
    scores: FrameScores,
    *,
    labels: LabelSet,
    protocol: ScoringProtocol,
) -> list[ShownFrame]:
    """Read and segment the best, the median and the worst frames once more.

    Nobody knows the median before the last frame, and keeping all of them would cost memory.
    """
    view = protocol.view(dataset)

    def shown(kind: str, index: int) -> ShownFrame:
        sample = view[index]
        pictures = frame_pictures(sample, segmenter(sample.image).label_map, labels)
        score = scores.mean_iou[index]
        return ShownFrame(kind, score, sample.name, sample.mask.shape, pictures)

    return [shown(kind, index) for kind, chosen in scores.chosen().items() for index in chosen]
