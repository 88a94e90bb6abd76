import json
import os
import subprocess
import sys
from importlib.metadata import version

import onnxruntime
import pytest

from swiftseg.benchmarking import installation
from swiftseg.benchmarking.installation import Extra
from tests.support.command_line import run_cli


def test_the_doctor_shows_what_is_installed(capsys: pytest.CaptureFixture[str]):
    found = json.loads(run_cli(capsys, "doctor", "--json").out)["sections"]
    assert found["version"]["onnxruntime"] == version("onnxruntime")
    providers = onnxruntime.get_available_providers()
    assert found["engine"]["onnxruntime"] == ", ".join(providers)
    assert found["machine"]["cores"].endswith("logical")
    assert set(found) == {"machine", "version", "engine", "use", "cache"}


def test_what_is_missing_comes_with_the_line_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    extras = {"ghost": Extra("no_such_module", "seeing ghosts")}
    monkeypatch.setattr(installation, "EXTRAS", extras)
    printed = run_cli(capsys, "doctor").out
    assert "missing: ghost, for seeing ghosts: pip install 'swiftseg[ghost]'" in printed


def test_a_shell_completes_the_commands():
    environment = {
        **os.environ,
        "_SWIFTSEG_COMPLETE": "complete_bash",
        "COMP_WORDS": "swiftseg exp",
        "COMP_CWORD": "1",
    }
    run = subprocess.run(
        [sys.executable, "-m", "swiftseg"], env=environment, capture_output=True, text=True
    )
    assert run.stdout.split() == ["export"]
