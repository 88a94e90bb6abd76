"""Many files with one trouble become one finding."""

from swiftseg.data.own.finding import SHOWN_FILES, Finding, Severity

ORDER: dict[Severity, int] = {"broken": 0, "warning": 1, "note": 2}


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
        return tuple(sorted(self._by_code.values(), key=lambda finding: ORDER[finding.severity]))
