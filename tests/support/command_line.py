"""Runs the command line as a user does, in this process."""

from dataclasses import dataclass

import pytest

from swiftseg.cli.main import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def run_cli(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Runs `swiftseg ARGUMENTS...`; gives its exit code and what it printed."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ending:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return Outcome(int(ending.value.code or 0), printed.out, printed.err)
