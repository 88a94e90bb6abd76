"""From a model and data to the report's file."""

import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from swiftseg.core.files import write_file
from swiftseg.core.versions import installed_version
from swiftseg.data import Dataset
from swiftseg.evaluation.evaluate_model import evaluate
from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.protocol import ScoringProtocol
from swiftseg.evaluation.report.page import Subject, report_page
from swiftseg.evaluation.report.shown_frames import FrameScores, shown_frames
from swiftseg.evaluation.unlearned import training_advice, unlearned
from swiftseg.inference import Segmenter
from swiftseg.runs import RunFolder, read_epochs

PACKAGES = ("swiftseg", "numpy", "pillow")


def report_model(
    path: Path,
    segmenter: Segmenter,
    dataset: Dataset,
    *,
    origin: tuple[str, str],
    protocol: ScoringProtocol,
    run: Path | None = None,
    calibration_error: bool = False,
) -> Evaluation:
    """Evaluate a model, and write the report.

    `run` is the folder of the training whose curves are shown.

    Raises:
        SwiftsegError: Model and data do not fit, or a file cannot be read or written.
    """
    epochs = read_epochs(RunFolder(run).metrics) if run else []
    scores = FrameScores(protocol.view(dataset).labels)
    evaluation = evaluate(
        segmenter,
        dataset,
        protocol=protocol,
        calibration_error=calibration_error,
        on_frame=scores.add,
    )
    frames = shown_frames(
        protocol.segmenter(segmenter),
        dataset,
        scores,
        labels=evaluation.labels,
        protocol=protocol,
    )
    facts = measured_with(segmenter, scores)
    environment = RunFolder(run).read_environment() if run else None
    if environment and environment.command != facts["command"]:  # that of a training's own report
        facts["trained by"] = environment.command
    card = segmenter.model.card
    card_text = "" if card is None else card.read_text(encoding="utf-8")
    subject = Subject(segmenter.spec, *origin, facts, card_text)
    advice = training_advice(evaluation, run, scores.smallest_hw) if run else []
    problem = unlearned(evaluation)
    if problem and not run:
        advice = [f"warning: {problem}"]
    page = report_page(evaluation, subject, frames=frames, epochs=epochs, advice=advice)
    write_file(path, page)
    return evaluation


def measured_with(segmenter: Segmenter, scores: FrameScores) -> dict[str, str]:
    """Return the circumstances of a measurement, text by name."""
    found = segmenter.model
    packages = (*PACKAGES, segmenter.engine.backend.partition("-")[0])
    # An engine's name is that of its package, or nearly.
    versions = ", ".join(
        f"{name} {installed_version(name) or 'of unknown version'}" for name in packages
    )
    is_shipped = found.kind == "shipped"
    return {
        "resolution": sizes_text(scores),
        "weights": f"{found.name}, shipped" if is_shipped else str(found.path.resolve()),
        "command": shlex.join(["swiftseg", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": f"Python {platform.python_version()}, {versions}",
        "machine": platform.platform(),
    }


def sizes_text(scores: FrameScores) -> str:
    """Return how large the masks are, in words."""
    if scores.smallest_hw is None or scores.largest_hw is None:
        return ""
    (low_h, low_w), (high_h, high_w) = scores.smallest_hw, scores.largest_hw
    smallest, largest = f"{low_w}x{low_h}", f"{high_w}x{high_h}"
    between = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"{between} pixels, where predictions are compared with them"
