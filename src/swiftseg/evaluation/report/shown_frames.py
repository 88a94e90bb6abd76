"""The frames that are worth a look, the best, the median and the worst ones, and their pictures."""

from array import array
from dataclasses import dataclass, field

import numpy as np

from swiftseg.core import LabelSet, Sample
from swiftseg.data import Dataset
from swiftseg.evaluation.protocol import ScoringProtocol
from swiftseg.evaluation.report.frame_pictures import frame_pictures
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.metrics import confusion_matrix, scores

SHOWN_FRAMES = 3

Size = tuple[int, int]


@dataclass
class FrameScores:
    """Score every frame by itself; of each no more than one number is kept.

    A frame's score is the mean IoU over the classes that occur in its mask or its label map. It is
    NaN where all of the frame is void.

    Attributes:
        mean_iou: float64, one a frame, in their order.
        smallest_hw: Of the masks.
        largest_hw: Of the masks.
    """

    labels: LabelSet
    mean_iou: "array[float]" = field(default_factory=lambda: array("d"))
    smallest_hw: Size | None = None
    largest_hw: Size | None = None

    def add(self, sample: Sample, label_map: np.ndarray) -> None:
        """Take a frame; to be handed to `evaluate` as `on_frame`."""
        self.mean_iou.append(frame_score(sample.mask, label_map, self.labels))
        size = (sample.mask.shape[0], sample.mask.shape[1])
        self.smallest_hw = min(self.smallest_hw or size, size, key=_area)
        self.largest_hw = max(self.largest_hw or size, size, key=_area)

    def chosen(self) -> dict[str, list[int]]:
        """Return the indices of the `worst`, the `median` and the `best` frames.

        Each kind has up to `SHOWN_FRAMES`, the extreme ones first, and no frame is shown twice:
        where there are few, the worst are taken first, then the best.
        """
        values = np.array(self.mean_iou)
        order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))].tolist()
        worst, rest = order[:SHOWN_FRAMES], order[SHOWN_FRAMES:]
        cut = max(len(rest) - SHOWN_FRAMES, 0)
        best, rest = rest[cut:], rest[:cut]
        start = max((len(rest) - SHOWN_FRAMES + 1) // 2, 0)
        median = rest[start : start + SHOWN_FRAMES]
        return {"worst": worst, "median": median, "best": best[::-1]}


def frame_score(mask: np.ndarray, label_map: np.ndarray, labels: LabelSet) -> float:
    """Return one frame's mean IoU over its own classes, in 0..1 or NaN; masks uint8 (H, W)."""
    return scores(confusion_matrix(label_map, mask, len(labels), labels.ignore_index)).mean_iou


def _area(size_hw: Size) -> int:
    return size_hw[0] * size_hw[1]


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
