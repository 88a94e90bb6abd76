"""What is wrong with data, or worth knowing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from swiftseg.core import SwiftsegError

SHOWN_FILES = 5
Severity = Literal["broken", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One kind of trouble, however many files have it.

    Attributes:
        severity: Training refuses what is broken; a warning costs accuracy; a note tells.
        code: A short name for programs, such as `image_without_mask`.
        message: One line for people; of files that cannot be read, the reader's own words.
        count: How many files or values it is about.
    """

    severity: Severity
    code: str
    message: str
    count: int = 1
    files: tuple[str, ...] = ()


def about_files(
    code: str, message: str, files: Iterable[object], severity: Severity = "broken"
) -> Finding:
    """Return a finding about some files, of which the first are kept."""
    names = [str(file) for file in files]
    return Finding(severity, code, message, len(names), tuple(names[:SHOWN_FILES]))


def refuse_broken(findings: Iterable[Finding], source: object) -> None:
    """Raise SwiftsegError with the words of the first broken finding, if there is one."""
    broken = [finding for finding in findings if finding.severity == "broken"]
    if not broken:
        return
    more = f" (and {len(broken) - 1} more kinds of trouble)" if len(broken) > 1 else ""
    raise SwiftsegError(f"{broken[0].message}{more}; `swiftseg data check {source}` lists them all")


_ORDER: dict[Severity, int] = {"broken": 0, "warning": 1, "note": 2}


class Collector:
    """Gathers findings; of each kind the first message stands, the others are counted."""

    def __init__(self) -> None:
        self._by_code: dict[str, Finding] = {}

    def add(self, finding: Finding) -> None:
        """Add a finding to those of its kind."""
        known = self._by_code.get(finding.code)
        if known is None:
            self._by_code[finding.code] = finding
            return
        files = (*known.files, *finding.files)[:SHOWN_FILES]
        self._by_code[finding.code] = Finding(
            known.severity, known.code, known.message, known.count + finding.count, files
        )

    def note(self, severity: Severity, code: str, message: str, file: object = None) -> None:
        """Add one that is about one file, or about none."""
        self.add(Finding(severity, code, message, files=() if file is None else (str(file),)))

    def findings(self) -> tuple[Finding, ...]:
        """Return them, the worst first."""
        return tuple(sorted(self._by_code.values(), key=lambda finding: _ORDER[finding.severity]))
