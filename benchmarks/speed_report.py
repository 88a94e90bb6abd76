"""The reports of the speed scripts: measurements, quotients beside those of papers, and goals."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from swiftseg.benchmarking.benchmark_report import Report
from swiftseg.core.schema import Section, read_json


class Ratio(Section):
    """A quotient of two measurements of one run, beside the same of a paper.

    Attributes:
        what: Such as `SegNet / ENet, 640x360 (W,H), torch eager`.
        measured: On this machine.
        published: In the paper, or None where it has none.
        source: Where the paper says so, and on what hardware.
    """

    what: str
    measured: float
    published: float | None = None
    source: str = ""


class Goal(Section):
    """What should be reached.

    Attributes:
        what: The quantity.
        unit: Such as `times`, `s` or `%`.
        higher_is_better: Whether `must` and `goal` are lower bounds.
        must: What is asked for.
        goal: What would be better still.
        measured: None where it could not be measured; `note` says why.
        note: Weights, labels that agree, and other conditions.
        conditions_hold: Whether the conditions do; without them nothing is reached.
    """

    what: str
    unit: str
    higher_is_better: bool
    must: float
    goal: float
    measured: float | None
    note: str = ""
    conditions_hold: bool = True

    @property
    def verdict(self) -> Literal["goal", "must", "missed", "not measured"]:
        """Which of the bounds is kept."""
        if self.measured is None:
            return "not measured"
        if not self.conditions_hold:
            return "missed"
        for name, bound in (("goal", self.goal), ("must", self.must)):
            if self.measured >= bound if self.higher_is_better else self.measured <= bound:
                return "goal" if name == "goal" else "must"
        return "missed"


class SpeedReport(Report):
    """A run of measurements on one machine, and what is made of them.

    Attributes:
        ratios: Quotients of them, beside those of papers.
        goals: Bounds they are held against.
        notes: What a reader must know.
    """

    ratios: list[Ratio] = Field(default_factory=list[Ratio])
    goals: list[Goal] = Field(default_factory=list[Goal])
    notes: list[str] = Field(default_factory=list[str])


def load_report(path: Path) -> SpeedReport:
    """Read what `SpeedReport.save` wrote.

    Raises:
        SwiftsegError: The file is missing, no report, or of another version.
    """
    return read_json(path, SpeedReport, "no benchmark report")
