"""The report: one HTML file that needs nothing beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swiftseg.core import ModelSpec
from swiftseg.core.labels import RGB
from swiftseg.core.templates import percent, render
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.report.confusion_picture import confusion_picture
from swiftseg.evaluation.report.curves import training_curves
from swiftseg.evaluation.report.reliability import reliability_diagram
from swiftseg.evaluation.report.shown_frames import ShownFrame
from swiftseg.metrics import mean_of_defined
from swiftseg.runs.history import Epoch


@dataclass(frozen=True)
class Subject:
    """What was measured on what.

    Attributes:
        data: Where the data are, in words.
        facts: What else is to be told, text by name: engine, command, date, versions.
    """

    spec: ModelSpec
    data: str
    split: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    card: str = ""


def report_page(
    evaluation: Evaluation,
    subject: Subject,
    *,
    frames: Sequence[ShownFrame] = (),
    epochs: Sequence[Epoch] = (),
    advice: Sequence[str] = (),
) -> str:
    """Return the page's text; `advice` says what was not learned and what to try."""
    labels, counts = evaluation.labels, evaluation.calibration
    data = Path(subject.data).name or subject.data
    return render(
        "evaluation/report/page.html",
        title=f"{subject.spec.name} on {subject.split} of {data}",
        evaluation=evaluation,
        tiles=_headline(evaluation),
        advice=advice,
        facts=_measured(evaluation, subject),
        card=subject.card,
        curves=training_curves(epochs) if epochs else "",
        classes=_classes(evaluation),
        confusion=confusion_picture(evaluation.matrix, labels.names),
        reliability="" if counts is None else reliability_diagram(counts),
        frames=frames,
        numbers=json.dumps(evaluation.to_dict()),  # what `swiftseg evaluate --json` prints
    )


def _headline(evaluation: Evaluation) -> list[tuple[str, float, str]]:
    """Return the numbers that sum a model up, each with its name and what it tells."""
    scores, interval = evaluation.scores, evaluation.mean_iou_interval
    between = (
        f"95 % interval {percent(interval.low)} to {percent(interval.high)}" if interval else ""
    )
    tiles = [
        ("mean IoU", scores.mean_iou, between),
        ("class average", scores.mean_class_accuracy, "mean accuracy of the classes"),
        ("all pixels", scores.global_accuracy, "share that is right"),
        (
            "boundary mean IoU",
            mean_of_defined(evaluation.boundary_iou),
            "near the borders of classes",
        ),
        ("frequency-weighted IoU", evaluation.frequency_weighted_iou, "weighed by pixels"),
        ("calibration error", evaluation.calibration_error, "between confidence and accuracy"),
    ]
    for part in ("category IoU", "class iIoU", "category iIoU"):
        mean = (evaluation.cityscapes or {}).get(f"mean_{part.replace(' ', '_').lower()}")
        tiles.append((part, mean, "as Cityscapes' benchmark"))
    return [(name, share, told) for name, share, told in tiles if share is not None]


def _measured(evaluation: Evaluation, subject: Subject) -> dict[str, str]:
    spec = subject.spec
    return {
        "model": f"{spec.name} ({spec.network}), {len(spec.labels)} classes",
        "network's input": f"{spec.input.size_hw[1]}x{spec.input.size_hw[0]} pixels",
        "learned from": spec.training_data,
        "license": spec.license_note,
        "data": f"{subject.data}, {subject.split}, {evaluation.frames} frames",
        "protocol": str(evaluation.protocol),
        **subject.facts,
    }


def _classes(evaluation: Evaluation) -> list[tuple[str, RGB, tuple[float, ...]]]:
    """Return each class's name, color, and IoU, accuracy, boundary IoU and share of pixels."""
    labels, scores, truth = evaluation.labels, evaluation.scores, evaluation.matrix.sum(axis=1)
    shares = truth / max(int(truth.sum()), 1)
    columns = (scores.iou, scores.class_accuracy, evaluation.boundary_iou, shares)
    return list(zip(labels.names, labels.palette, zip(*columns, strict=True), strict=True))
