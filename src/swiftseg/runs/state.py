"""How a run stands, for whoever looks into its folder: `state.json`."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from swiftseg.core import SwiftsegError
from swiftseg.core.files import write_file
from swiftseg.core.schema import read_json
from swiftseg.runs.writer import Writer

State = Literal["running", "finished", "stopped", "failed"]


class StoppedError(SwiftsegError):
    """The user stopped a training; its state is saved."""

    exit_code = 130


class StateFile(Writer):
    """What the file holds: the process that wrote it, and how the run stands.

    Attributes:
        state: What the process last said.
        wall_seconds: Of all starts of the run.
        device: What it trained on, such as `cuda`.
        processes: How many processes train together.
    """

    state: State
    wall_seconds: float
    device: str | None = None
    processes: int | None = None


class RunState:
    """Writes the state when it is entered, at each call of `note`, and when it is left.

    Seconds count up to the last note over all starts of the run, so that what a killed run has to
    do again is not counted twice.
    """

    def __init__(
        self, path: Path, *, device: str = "cpu", processes: int = 1, enabled: bool = True
    ) -> None:
        self.path, self.enabled = path, enabled
        self.writer, self.device, self.processes = Writer.here(), device, processes
        self.seconds_before = _seconds_in(path)
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
        """Write how the run stands now."""
        if not self.enabled:
            return
        seconds = round(self.seconds_before + time.monotonic() - self.started, 1)
        content = StateFile(
            **self.writer.model_dump(),
            state=state,
            wall_seconds=seconds,
            device=self.device,
            processes=self.processes,
        )
        write_file(self.path, content.model_dump_json(indent=2) + "\n")


def read_state(path: Path) -> StateFile | None:
    """Read how a run stands; None where an older version wrote nothing.

    Raises:
        SwiftsegError: The file is damaged.
    """
    return read_json(path, StateFile, "expected the state of a run") if path.exists() else None


def _seconds_in(path: Path) -> float:
    """Return what earlier starts of the run took; 0 where the file says nothing."""
    try:
        found = read_state(path)
    except SwiftsegError:
        return 0.0
    return found.wall_seconds if found else 0.0
