"""Writes a page of twelve pictures of places that a model has not seen, good and bad, for its card.

    python benchmarks/street_pictures.py --camvid DIR --idd-lite DIR --labelmefacade DIR \
        --model fast_scnn-streets --out pictures.html

Of the held-out Indian drives and of the held-out places of LabelMeFacade it shows the three frames
with the largest share of right pixels and the three with the smallest: frame, labels, prediction.
The data may not be handed on, so the page is not kept here.
"""

import argparse
import base64
import html
import io
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.street_scores import held_out_parts
from swiftseg.core import Sample
from swiftseg.core.files import replacing
from swiftseg.data import Dataset
from swiftseg.inference import Segmenter
from swiftseg.metrics import to_rows
from swiftseg.render import colorize, overlay

SHOWN = 3


def accuracy(label_map: np.ndarray, sample: Sample, dataset: Dataset) -> float:
    """Return the share of a frame's labeled pixels whose prediction is right."""
    rows, truth = to_rows(label_map, sample.mask, dataset.labels)
    labeled = sample.mask != dataset.labels.ignore_index
    return float((rows == truth)[labeled].mean()) if labeled.any() else 0.0


def as_html(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="JPEG", quality=85)
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}">'


def section(name: str, dataset: Dataset, segmenter: Segmenter) -> str:
    """Return the best and the worst frames of a data set as rows of pictures."""
    scored = [
        (accuracy(segmenter(sample.image).label_map, sample, dataset), index)
        for index, sample in enumerate(dataset)
    ]
    scored.sort(reverse=True)
    rows = [f"<h2>{html.escape(name)}</h2>"]
    for share, index in (*scored[:SHOWN], *scored[-SHOWN:]):
        sample = dataset[index]
        predicted = overlay(sample.image, segmenter(sample.image).label_map, segmenter.spec.labels)
        panels = (sample.image, colorize(sample.mask, dataset.labels), predicted)
        rows.append(f"<p>{html.escape(sample.name)}: {share:.0%} of the labeled pixels right</p>")
        rows.append(f"<div>{''.join(as_html(panel) for panel in panels)}</div>")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a page of held-out places.")
    parser.add_argument("--camvid", required=True)
    parser.add_argument("--idd-lite", required=True)
    parser.add_argument("--labelmefacade", required=True)
    parser.add_argument("--model", default="fast_scnn-streets")
    parser.add_argument("--out", type=Path, default=Path("street_pictures.html"))
    options = parser.parse_args()
    names = ("camvid", "idd_lite", "labelmefacade")
    parts = held_out_parts({name: str(getattr(options, name)) for name in names})
    segmenter = Segmenter.load(options.model)
    sections = [section(name, parts[name], segmenter) for name in names[1:]]
    head = f"<!doctype html><meta charset=utf-8><title>{html.escape(options.model)}</title>"
    with replacing(options.out) as temporary:
        temporary.write_text("\n".join([head, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
