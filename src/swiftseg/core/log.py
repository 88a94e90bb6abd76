"""What is said while work lasts: `logging.getLogger("swiftseg")`, shown on stderr as it is.

A program that wants the lines elsewhere takes the handler away:

    logging.getLogger("swiftseg").handlers.clear()
    logging.getLogger("swiftseg").propagate = True  # to where its own lines go
"""

import logging
import sys

LOG = logging.getLogger("swiftseg")


class _OnStderr(logging.Handler):
    """Prints to what is `sys.stderr` at the time, where a progress bar makes room."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno < logging.WARNING else "warning: "
        print(f"{prefix}{record.getMessage()}", file=sys.stderr, flush=True)  # noqa: T201


if not LOG.handlers:  # a program that has set its own before wants no other
    LOG.addHandler(_OnStderr())
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def say(line: str) -> None:
    """Tell the user of the course of work."""
    LOG.info("%s", line)


def warn(line: str) -> None:
    """Tell the user of what may be wrong though work goes on."""
    LOG.warning("%s", line)
