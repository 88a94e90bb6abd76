"""What rounding to int8 may cost: mean IoU on labeled frames, equal labels on others."""

from collections.abc import Callable, Iterator

import numpy as np

from swiftseg.core import UsageError
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.inference.fitting import inside
from swiftseg.kernels.resize import resize_labels
from swiftseg.metrics import confusion_matrix, scores
from swiftseg.runtimes import Backend, labels_of

Measure = Callable[[Backend], float]


def check_max_drop(max_drop: float) -> None:
    """Raise UsageError for points of percent that nothing can lose."""
    if not 0 <= max_drop <= 100:
        raise UsageError(f"expected --max-drop of 0 to 100 points, got {max_drop:g}")


def measure_name(seen: Calibration) -> str:
    """Return what `measure_against` measures."""
    return "mean IoU" if seen.masks else "labels equal to f32's"


def measure_against(reference: Backend, seen: Calibration) -> Measure:
    """Return what scores a backend in percent: mean IoU by masks, else labels as the reference's.

    Args:
        reference: The model in float32.
        seen: Frames of the model's size; with masks the labels count at the masks' own size.
    """
    if seen.masks:
        num_classes = len(reference.spec.labels)

        def score(backend: Backend) -> float:
            matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
            for label_map, mask in zip(_label_maps(backend, seen), seen.masks, strict=True):
                own = resize_labels(label_map, mask.shape)
                matrix += confusion_matrix(own, mask, num_classes, seen.ignore_index)
            return 100 * scores(matrix).mean_iou

        return score
    right = list(_label_maps(reference, seen))

    def equal(backend: Backend) -> float:
        pairs = zip(_label_maps(backend, seen), right, strict=True)
        return 100 * float(np.mean([np.mean(own == other) for own, other in pairs]))

    return equal


def _label_maps(backend: Backend, seen: Calibration) -> Iterator[np.ndarray]:
    """Yield the labels of each picture, without those of its padding."""
    for frame, area in zip(seen.frames, seen.areas, strict=True):
        labels = labels_of(backend, frame[None])[0]
        yield labels if area is None else inside(labels, area)
