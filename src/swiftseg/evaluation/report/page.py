"""The report: one HTML file that needs nothing beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from swiftseg.core import ModelSpec
from swiftseg.core.files import replacing
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.report.class_table import class_table, legend
from swiftseg.evaluation.report.confusion_picture import confusion_picture
from swiftseg.evaluation.report.curves import training_curves
from swiftseg.evaluation.report.frame_pictures import frame_pictures
from swiftseg.evaluation.report.markup import Markup, join, percent, tag
from swiftseg.evaluation.report.reliability import reliability_diagram
from swiftseg.evaluation.report.shown_frames import ShownFrame
from swiftseg.metrics import mean_of_defined
from swiftseg.runs.history import Epoch

# No browser fetches or runs anything, whatever a class or a file is called.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
KINDS = {"best": "Best frames", "median": "Median frames", "worst": "Worst frames"}


@dataclass(frozen=True)
class Subject:
    """What was measured on what.

    Attributes:
        spec: Describes the model.
        data: Where the data are, in words.
        split: The part of them.
        facts: What else is to be told, text by name: engine, command, date, versions.
        card: The weights' card, or nothing.
    """

    spec: ModelSpec
    data: str
    split: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    card: str = ""


def write_report(
    path: Path,
    evaluation: Evaluation,
    subject: Subject,
    *,
    frames: Sequence[ShownFrame] = (),
    epochs: Sequence[Epoch] = (),
) -> None:
    """Writes the page.

    Args:
        path: The file.
        evaluation: Whose numbers it tells.
        subject: What was measured on what.
        frames: Shown with their pictures, the kinds in `KINDS`' order.
        epochs: Of the training, for its curves.

    Raises:
        SwiftsegError: The file cannot be written.
    """
    page = report_page(evaluation, subject, frames=frames, epochs=epochs)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def report_page(
    evaluation: Evaluation,
    subject: Subject,
    *,
    frames: Sequence[ShownFrame] = (),
    epochs: Sequence[Epoch] = (),
) -> Markup:
    """Gives the page's text; see `write_report`."""
    style = (files("swiftseg.evaluation.report") / "style.css").read_text(encoding="utf-8")
    title = f"{subject.spec.name} on {subject.split} of {Path(subject.data).name or subject.data}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("h1", title),
        tag("p", f"{evaluation.frames} frames, protocol {evaluation.protocol}", class_="soft"),
        headline(evaluation),
        section("What was measured", _measured(evaluation, subject)),
        section("Training", training_curves(epochs)) if epochs else Markup(""),
        section("Classes", class_table(evaluation)),
        section("Confusion", *_confusion(evaluation)),
        _calibration(evaluation),
        _frames(evaluation, frames),
        _numbers(evaluation),
    )
    return join(Markup("<!DOCTYPE html>\n"), tag("html", head, body, lang="en"), "\n")


def section(title: str, *children: str) -> Markup:
    return tag("section", tag("h2", title), *children)


def headline(evaluation: Evaluation) -> Markup:
    """Shows the numbers that sum a model up, the interval of mean IoU beside it."""
    scores, interval = evaluation.scores, evaluation.mean_iou_interval
    between = (
        f"95 % interval {percent(interval.low)} to {percent(interval.high)}" if interval else ""
    )
    boundary = mean_of_defined(evaluation.boundary_iou)
    tiles = [
        ("mean IoU", scores.mean_iou, between),
        ("class average", scores.mean_class_accuracy, "mean accuracy of the classes"),
        ("all pixels", scores.global_accuracy, "share that is right"),
        ("boundary mean IoU", boundary, "near the borders of classes"),
        ("frequency-weighted IoU", evaluation.frequency_weighted_iou, "weighed by pixels"),
    ]
    if evaluation.calibration_error is not None:
        told = "between confidence and accuracy"
        tiles.append(("calibration error", evaluation.calibration_error, told))
    for part, name in (
        ("category_iou", "category IoU"),
        ("class_iiou", "class iIoU"),
        ("category_iiou", "category iIoU"),
    ):
        mean = (evaluation.cityscapes or {}).get(f"mean_{part}")
        tiles += [(name, mean, "as Cityscapes' benchmark")] if mean is not None else []
    return tag("div", *(_tile(*tile) for tile in tiles), class_="tiles")


def _tile(name: str, share: float, told: str) -> Markup:
    return tag("div", name, tag("b", percent(share)), tag("small", told), class_="tile")


def _measured(evaluation: Evaluation, subject: Subject) -> Markup:
    spec = subject.spec
    facts = {
        "model": f"{spec.name} ({spec.network}), {len(spec.labels)} classes",
        "network's input": f"{spec.input.size_hw[1]}x{spec.input.size_hw[0]} pixels",
        "learned from": spec.training_data,
        "license": spec.license_note,
        "data": f"{subject.data}, {subject.split}, {evaluation.frames} frames",
        "protocol": str(evaluation.protocol),
        **subject.facts,
    }
    entries = (join(tag("dt", name), tag("dd", text)) for name, text in facts.items() if text)
    card = tag("details", tag("summary", "the weights' card"), tag("pre", subject.card))
    return join(tag("dl", *entries), card if subject.card else "")


def _confusion(evaluation: Evaluation) -> tuple[Markup, Markup]:
    text = (
        "Each row is a class's true pixels, shared out in percent over what they were taken for. "
        "Point at a cell to read it; wrong cells are drawn stronger than their share."
    )
    picture = confusion_picture(evaluation.matrix, evaluation.labels.names)
    return tag("p", text, class_="soft"), tag("div", picture, class_="scrolls")


def _calibration(evaluation: Evaluation) -> Markup:
    if evaluation.calibration is None:
        return Markup("")
    text = (
        "A network whose confidence can be believed is right in 80 of 100 pixels that it gives a "
        "confidence of 0.8. The gray bars are the pixels' shares; the calibration error is the "
        f"mean gap, {percent(evaluation.calibration_error)}."
    )
    diagram = tag("div", reliability_diagram(evaluation.calibration), class_="charts")
    return section("Calibration", tag("p", text, class_="soft"), diagram)


def _frames(evaluation: Evaluation, frames: Sequence[ShownFrame]) -> Markup:
    if not frames:
        return Markup("")
    text = (
        "By the mean IoU of the classes that occur in the frame or its prediction. In the error "
        "map red is wrong and black is void, which does not count."
    )
    parts = [tag("p", text, class_="soft"), legend(evaluation)]
    for kind, title in KINDS.items():
        shown = [frame for frame in frames if frame.kind == kind]
        if shown:
            parts += [tag("h3", title), *(_frame(evaluation, frame) for frame in shown)]
    return section("Frames", *parts)


def _frame(evaluation: Evaluation, frame: ShownFrame) -> Markup:
    size = f"{frame.sample.mask.shape[1]}x{frame.sample.mask.shape[0]}"
    score = tag("b", f"mean IoU {percent(frame.score)}")
    pictures = frame_pictures(frame.sample, frame.label_map, evaluation.labels)
    told = tag("p", tag("code", frame.sample.name), f" ({size}): ", score)
    return tag("div", told, pictures, class_="frame")


def _numbers(evaluation: Evaluation) -> Markup:
    """Holds what `swiftseg evaluate --json` prints, for people and for programs."""
    text = json.dumps(evaluation.to_dict())
    summary = tag("summary", "all numbers as JSON")
    return tag("footer", tag("details", summary, tag("pre", text, id_="evaluation")))
