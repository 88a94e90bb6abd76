"""What a job tells when it ends: a manifest, the failures, the shares of the classes, a summary."""

import csv
import io
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from swiftseg.core.shown_text import utf8, without_secrets
from swiftseg.labeling.job import Job
from swiftseg.labeling.pieces import Receipt

MANIFEST, FAILURES, SHARES, SUMMARY = "manifest.csv", "failures.csv", "shares.csv", "summary.json"


@dataclass
class Summary:
    """A job's sums, over all of its starts where nothing else is said.

    Attributes:
        digest: SHA-256 of its file.
        engine: What scheduled the work: `local` or `ray`.
        inputs: How many the job has: images, rows, and ranges of frames.
        done: Those that are labeled.
        failed: Those that are set aside, with the reason in failures.csv.
        pending: Those that a further start would go on with.
        run_frames: Of them, those of this start.
        run_s: How long this start took, in seconds.
        startup_s: Of that, the time until the first piece was done.
        seconds: The work by stage, added up over all workers.
        core_hours: The work of all stages in hours of one core.
        interrupted: Whether Ctrl-C ended this start.
    """

    model: str
    digest: str
    engine: str
    workers: int
    inputs: int = 0
    done: int = 0
    failed: int = 0
    pending: int = 0
    frames: int = 0
    run_frames: int = 0
    run_s: float = 0.0
    startup_s: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    core_hours: float = 0.0
    pixels: dict[str, int] = field(default_factory=dict[str, int])
    interrupted: bool = False

    @property
    def frames_per_s(self) -> float:
        """Of this start."""
        return self.run_frames / self.run_s if self.run_s else 0.0

    @property
    def slowest_stage(self) -> str:
        """The stage that most of the work is in; empty where nothing was done."""
        return max(self.seconds, key=self.seconds.__getitem__, default="")

    @property
    def class_shares(self) -> dict[str, float]:
        """Each class's share of all labeled pixels."""
        total = max(sum(self.pixels.values()), 1)
        return {name: count / total for name, count in self.pixels.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            **asdict(self),
            "frames_per_s": self.frames_per_s,
            "slowest_stage": self.slowest_stage,
            "class_shares": self.class_shares,
        }


class _Table:
    """Rows of CSV that become one file."""

    def __init__(self, *header: str) -> None:
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(header)

    def add(self, *row: object) -> None:
        self._rows.writerow(row)

    def data(self) -> bytes:
        return utf8(self._text.getvalue())


def write_results(job: Job, summary: Summary, *, threads: int) -> None:
    """Read all receipts, fill in the summary and write the tables into the target.

    Raises:
        SwiftsegError: The target cannot be read or written.
    """
    classes = job.settings.classes
    manifest = _Table("input", "address", "status", "frames", "reason")
    failures = _Table("input", "address", "reason")
    shares = _Table("frame", *classes)
    summary.pixels = dict.fromkeys(classes, 0)
    for receipt in job.receipts():
        _count(receipt, summary)
        for outcome in receipt.outcomes:
            told = (outcome.key, outcome.address)
            manifest.add(*told, outcome.status, len(outcome.frames), outcome.reason)
            if not outcome.frames:
                failures.add(*told, outcome.reason)
            for frame in outcome.frames:
                total = frame.size_hw[0] * frame.size_hw[1]
                shares.add(frame.name, *(round(pixels / total, 6) for pixels in frame.pixels))
    for piece in job.pending:
        for item in piece.inputs:
            manifest.add(item.key, without_secrets(item.address), "pending", 0, "")
            summary.pending += 1
    summary.inputs = summary.done + summary.failed + summary.pending
    work = {**summary.seconds, "segment": threads * summary.seconds.get("segment", 0.0)}
    summary.core_hours = sum(work.values()) / 3600
    job.place.write(MANIFEST, manifest.data())
    job.place.write(FAILURES, failures.data())
    if "shares" in job.settings.save:
        job.place.write(SHARES, shares.data())
    job.place.write(SUMMARY, json.dumps(summary.to_dict(), indent=1).encode())


def _count(receipt: Receipt, summary: Summary) -> None:
    for stage, seconds in receipt.seconds.items():
        summary.seconds[stage] = summary.seconds.get(stage, 0.0) + seconds
    for outcome in receipt.outcomes:
        summary.done += outcome.status == "done"
        summary.failed += outcome.status == "failed"
        summary.frames += len(outcome.frames)
        for frame in outcome.frames:
            for name, count in zip(summary.pixels, frame.pixels, strict=True):
                summary.pixels[name] += count
