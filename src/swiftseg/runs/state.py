"""How a run stands, for whoever looks into its folder: `state.json`."""

import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.training.stopping import StoppedError

State = Literal["running", "finished", "stopped", "failed"]


class RunState:
    """Writes the state when it is entered, at each call of `note`, and when it is left.

    The file names the process and its machine: what says `running` and has no process any more was
    killed. Seconds count up to the last note over all starts of the run, so that what a killed run
    has to do again is not counted twice.

    Args:
        path: The file.
        facts: What else to write, such as the device.
        enabled: False writes nothing, for the processes beside the first.
    """

    def __init__(self, path: Path, facts: dict[str, Any], *, enabled: bool = True) -> None:
        self.path, self.enabled = path, enabled
        self.facts = {"host": platform.node(), "pid": os.getpid(), **facts}
        self.seconds_before = seconds_in(path)
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        self.note("running")
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.note("finished")
            return
        with suppress(SwiftsegError):  # what went wrong first is what counts, such as a full disk
            self.note("stopped" if isinstance(error, StoppedError) else "failed")

    def note(self, state: State) -> None:
        if not self.enabled:
            return
        seconds = self.seconds_before + time.monotonic() - self.started
        content = {"state": state, "wall_seconds": round(seconds, 1), **self.facts}
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def seconds_in(path: Path) -> float:
    """Gives what earlier starts of the run have taken; none where the file says nothing."""
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["wall_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
