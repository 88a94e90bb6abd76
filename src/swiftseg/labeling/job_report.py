"""A job's report: one HTML file that needs nothing beside it."""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from swiftseg.core import LabelSet
from swiftseg.core.shown_text import utf8, without_secrets
from swiftseg.core.templates import render
from swiftseg.evaluation.report.frame_pictures import jpeg_uri
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.kernels.resize import resize_labels
from swiftseg.labeling.inputs import Input
from swiftseg.labeling.job import Job
from swiftseg.labeling.pieces import FrameResult, Outcome, Piece
from swiftseg.labeling.results import Summary
from swiftseg.labeling.stages import ReadStage, SegmentStage

REPORT = "report.html"

UNSURE, SAMPLES = 12, 6  # frames that are shown
FOLDERS, FAILURES = 50, 100  # rows that are shown


@dataclass
class _Folder:
    frames: int = 0
    pixels: list[int] = field(default_factory=list[int])


@dataclass(frozen=True)
class _Shown:
    """A frame with its pictures by what they show, as data URIs."""

    name: str
    confidence: float | None
    pictures: Mapping[str, str]


@dataclass
class _Walked:
    """What one walk over all receipts keeps; its size does not grow with the frames."""

    step: int
    folders: dict[str, _Folder] = field(default_factory=dict[str, _Folder])
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    unsure: list[tuple[float, str, str]] = field(default_factory=list[tuple[float, str, str]])
    samples: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    frames: int = 0

    def add(self, outcome: Outcome) -> None:
        if not outcome.frames and len(self.failures) < FAILURES:
            self.failures.append((outcome.key, outcome.reason))
        for frame in outcome.frames:
            self._count(frame)
            if frame.confidence is not None:  # the heap's smallest is the surest: it goes first
                entry = (-frame.confidence, frame.name, outcome.key)
                keep = heapq.heappush if len(self.unsure) < UNSURE else heapq.heappushpop
                keep(self.unsure, entry)
            if self.frames % self.step == 0 and len(self.samples) < SAMPLES:
                self.samples.append((frame.name, outcome.key))
            self.frames += 1

    def _count(self, frame: FrameResult) -> None:
        name = frame.name.rpartition("/")[0] or "."
        folder = self.folders.setdefault(name, _Folder(pixels=[0] * len(frame.pixels)))
        folder.frames += 1
        folder.pixels = [a + b for a, b in zip(folder.pixels, frame.pixels, strict=True)]


def write_report(job: Job, summary: Summary, segmenter: Segmenter, read: ReadStage) -> None:
    """Write report.html into the target of a job that has ended.

    The frames that are shown are read and labeled once more, which is less than to keep all.

    Raises:
        SwiftsegError: The target cannot be read or written.
    """
    seen = _Walked(step=max(summary.frames // SAMPLES, 1))
    for receipt in job.receipts():
        for outcome in receipt.outcomes:
            seen.add(outcome)
    inputs = {item.key: item for piece in job.pieces for item in piece.inputs}
    show = _Showing(segmenter, read)
    unsure = [(name, inputs[key]) for _, name, key in sorted(seen.unsure, reverse=True)]
    samples = [(name, inputs[key]) for name, key in seen.samples]
    folders = sorted(seen.folders.items(), key=lambda item: (-item[1].frames, item[0]))
    labels = segmenter.spec.labels
    page = render(
        "labeling/report.html",
        title=f"{summary.frames} frames labeled with {summary.model}",
        tiles=_tiles(summary),
        facts=_facts(job, summary),
        classes=list(zip(labels.names, labels.palette, summary.class_shares.values(), strict=True)),
        folders=[
            (name, folder.frames, _shares(folder.pixels)) for name, folder in folders[:FOLDERS]
        ],
        left_out=max(len(folders) - FOLDERS, 0),
        failures=seen.failures,
        failed=summary.failed,
        unsure=list(show(unsure)),
        samples=list(show(samples)),
        numbers=json.dumps(summary.to_dict()),
    )
    job.place.write(REPORT, utf8(page))


class _Showing:
    """Reads and labels frames once more, for their pictures."""

    def __init__(self, segmenter: Segmenter, read: ReadStage) -> None:
        self._labels: LabelSet = segmenter.spec.labels
        self._read = ReadStage(read.spec, read.fit, keeps_frames=True)
        self._segment = SegmentStage(segmenter, keeps_probabilities=False, wants_confidence=True)

    def __call__(self, frames: Iterable[tuple[str, Input]]) -> Iterator[_Shown]:
        for name, item in frames:
            labeled = self._segment(self._read(Piece(0, (item,))))
            for frame in labeled.inputs[0].frames:  # none where the file has gone since
                if frame.name == name and frame.kept is not None:
                    label_map = resize_labels(frame.labels, frame.size_hw)
                    found = Segmentation(frame.kept, label_map, self._labels, {})
                    pictures = {"image": jpeg_uri(frame.kept), "labels": jpeg_uri(found.overlay())}
                    yield _Shown(name, frame.confidence, pictures)


def _tiles(summary: Summary) -> list[tuple[str, str, str]]:
    rate = f"{summary.frames_per_s:.1f}" if summary.run_frames else "–"  # noqa: RUF001
    return [
        ("inputs", str(summary.inputs), "images, rows and ranges of frames"),
        ("labeled", str(summary.done), f"{summary.frames} frames"),
        ("failed", str(summary.failed), "set aside"),
        ("pending", str(summary.pending), "for the next start"),
        ("frames/s", rate, f"of this start, {summary.workers} workers"),
        ("core hours", f"{summary.core_hours:.3g}", "of all starts"),
    ]


def _facts(job: Job, summary: Summary) -> dict[str, str]:
    settings = job.settings
    return {
        "model": f"{settings.model}, {len(settings.classes)} classes",
        "digest": settings.digest,
        "engine": f"{settings.backend}, {settings.precision}, scheduled by {summary.engine}",
        "target": without_secrets(job.place.address),
        "seconds of work": ", ".join(f"{name} {s:.1f}" for name, s in summary.seconds.items()),
    }


def _shares(pixels: list[int]) -> list[float]:
    total = max(sum(pixels), 1)
    return [count / total for count in pixels]
