"""What each way of showing a picture of other proportions to a network costs.

    python benchmarks/fit_table.py --camvid CAMVID

Crops from the middle of CamVid's validation frames stand for portrait and square photos. Each
shipped street model labels the crops in every way; scores are mean IoU over all frames, at the
crops' own size. Writes benchmarks/results/fit.json.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from swiftseg import Segmenter
from swiftseg.core import Sample
from swiftseg.core.files import replacing
from swiftseg.core.progress import LateProgress
from swiftseg.data import Dataset, open_dataset
from swiftseg.metrics import confusion_matrix, scores

RESULT = Path(__file__).parent / "results" / "fit.json"
MODELS = ("enet-camvid", "segfast-camvid", "fast_scnn-camvid")
FITS = ("stretch", "letterbox", "tile")
SHAPES = {"9:16": 9 / 16, "3:4": 3 / 4, "1:1": 1.0, "5:4": 5 / 4, "4:3": 4 / 3, "2:1": 2.0}


def cropped(sample: Sample, ratio: float) -> Sample:
    """Return the middle of a sample, of the width : height given."""
    height, width = sample.mask.shape
    new_h, new_w = (height, round(ratio * height))
    if new_w > width:
        new_h, new_w = round(width / ratio), width
    top, left = (height - new_h) // 2, (width - new_w) // 2
    area = (slice(top, top + new_h), slice(left, left + new_w))
    return Sample(sample.name, np.ascontiguousarray(sample.image[area]), sample.mask[area])


def mean_iou(segmenter: Segmenter, samples: Sequence[Sample], ignore_index: int | None) -> float:
    """Return the mean IoU in percent over all samples."""
    num_classes = len(segmenter.spec.labels)
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for sample in samples:
        label_map = segmenter(sample.image).label_map
        matrix += confusion_matrix(label_map, sample.mask, num_classes, ignore_index)
    return 100 * scores(matrix).mean_iou


def rows(
    data: Dataset, models: Sequence[str], progress: LateProgress
) -> Iterator[dict[str, object]]:
    """Yield one row a model and shape."""
    for name, ratio in SHAPES.items():
        samples = [cropped(sample, ratio) for sample in data]
        for model in models:
            found = {
                fit: round(
                    mean_iou(Segmenter.load(model, fit=fit), samples, data.labels.ignore_index), 2
                )
                for fit in FITS
            }
            progress.advance()
            yield {"shape": name, "model": model, "mean_iou": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--camvid", type=Path, required=True)
    options = parser.parse_args()
    data = open_dataset(options.camvid, "val", "camvid")
    with LateProgress("shapes and models") as progress:
        progress.expect(len(SHAPES) * len(MODELS))
        found = list(rows(data, MODELS, progress))
    command = "python benchmarks/fit_table.py --camvid CAMVID"
    with replacing(RESULT) as temporary:
        report = {"command": command, "frames": len(data), "rows": found}
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for row in found:
        print(row)


if __name__ == "__main__":
    main()
