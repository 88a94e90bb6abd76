"""What this process has held."""

import sys
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")


def peak_mb() -> float | None:
    """Return the most memory this process has held so far, in 10^6 bytes; None where untold."""
    if _STATUS.exists():
        # psutil does not tell it on Linux, and getrusage tells the parent's where that was higher.
        lines = _STATUS.read_text("utf-8").splitlines()
        [line] = [line for line in lines if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS alone
    return None
