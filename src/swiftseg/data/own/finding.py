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
        files: The first of them.
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
    raise SwiftsegError(
        f"{broken[0].message}{more}; `swiftseg data check {source}` lists all there is"
    )
