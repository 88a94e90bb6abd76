"""What this process has held."""

from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_mb() -> float | None:
    """Return the most memory this process has held so far, in 10^6 bytes; None where untold."""
    if not _STATUS.exists():
        return None
    # getrusage would tell the parent's peak where that was higher.
    [line] = [line for line in _STATUS.read_text("utf-8").splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024 / 1e6
