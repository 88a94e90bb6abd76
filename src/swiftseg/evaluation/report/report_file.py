"""From a segmenter and data to the report's file; `swiftseg train` ends with it, too."""

import json
import platform
import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from swiftseg.cli.evaluate import run as run_evaluation
from swiftseg.cli.score_table import mean_iou
from swiftseg.core import SwiftsegError
from swiftseg.data import Dataset
from swiftseg.evaluation import Protocol
from swiftseg.evaluation.report import (
    FrameScores,
    Subject,
    read_epochs,
    shown_frames,
    write_report,
)
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.runs import RunFolder
from swiftseg.weights import shipped_models

ENVIRONMENT = "environment.json"
PACKAGES = ("swiftseg", "numpy", "pillow")


@dataclass(frozen=True)
class Measurement:
    """What is measured on what, in the user's words.

    Attributes:
        model: A shipped model's name or a file.
        data: A folder, or `toystreet`.
        split: The part of it.
        protocol: How.
        backend: The engine.
        run: The folder of the training run, whose curves are shown, or None.
    """

    model: str
    data: str
    split: str
    protocol: Protocol
    backend: str
    run: Path | None = None


def write_measurement(
    path: Path,
    measurement: Measurement,
    segmenter: Segmenter | AveragingSegmenter,
    dataset: Dataset,
    *,
    calibration: bool = False,
) -> str:
    """Evaluates, writes the report, and tells in one line what has come of it.

    Raises:
        SwiftsegError: Model and data don't fit, a file cannot be read, or the report not written.
    """
    protocol, run = measurement.protocol, measurement.run
    epochs = read_epochs(RunFolder(run).metrics) if run else []
    scores = FrameScores(protocol.view(dataset).labels)
    evaluation = run_evaluation(
        segmenter, dataset, protocol, calibration=calibration, on_frame=scores.add
    )
    frames = shown_frames(segmenter, dataset, scores, protocol=protocol)
    card = card_of(measurement.model)
    facts = measured_with(measurement, scores)
    trained = trained_with(run) if run else {}
    # A training that reports itself has one command.
    facts |= {name: text for name, text in trained.items() if text != facts["command"]}
    subject = Subject(segmenter.spec, measurement.data, measurement.split, facts, card)
    write_report(path, evaluation, subject, frames=frames, epochs=epochs)
    return (
        f"{path}: {segmenter.spec.name} on {measurement.split} of {measurement.data}, "
        f"mIoU {mean_iou(evaluation)} % on {evaluation.frames} frames"
    )


def measured_with(measurement: Measurement, scores: FrameScores) -> dict[str, str]:
    """Gives the circumstances of a measurement, text by name."""
    packages = (*PACKAGES, measurement.backend)
    versions = ", ".join(f"{name} {version_of(name)}" for name in packages)
    file = measurement.model
    return {
        "resolution": sizes_text(scores),
        "weights": f"{file}, shipped" if file in shipped_models() else str(Path(file).resolve()),
        "command": shlex.join(["swiftseg", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "versions": f"Python {platform.python_version()}, {versions}",
        "machine": platform.platform(),
    }


def sizes_text(scores: FrameScores) -> str:
    """Says how large the masks are."""
    if scores.smallest_hw is None or scores.largest_hw is None:
        return ""
    (low_h, low_w), (high_h, high_w) = scores.smallest_hw, scores.largest_hw
    smallest, largest = f"{low_w}x{low_h}", f"{high_w}x{high_h}"
    between = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"{between} pixels, where predictions are compared with them"


def trained_with(run: Path) -> dict[str, str]:
    """Gives the command of a training run, as the run has noted it."""
    path = run / ENVIRONMENT
    if not path.is_file():
        return {}
    try:
        return {"trained by": str(json.loads(path.read_text(encoding="utf-8"))["command"])}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise SwiftsegError(f"{path}: expected JSON with the run's command ({error})") from error


def card_of(model: str) -> str:
    """Gives the card of a shipped model, or nothing."""
    shipped = shipped_models().get(model)
    return shipped.with_suffix(".md").read_text(encoding="utf-8") if shipped else ""


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # an engine's name is that of its package, or nearly
        return "of unknown version"
