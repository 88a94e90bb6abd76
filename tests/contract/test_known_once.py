"""A model's name is understood in one place, and few modules ever see it."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from PIL import Image

from tests.support.command_line import run_cli

NAME = "enet-toystreet"
MOST_MODULES = 10


def test_a_models_name_passes_through_few_modules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    seen: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        del argument
        module = str(frame.f_globals.get("__name__"))
        if event == "return" and module.startswith("swiftseg."):
            held = frame.f_locals.values()
            if any(isinstance(value, str) and value == NAME for value in held):
                seen.add(module)

    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    sys.setprofile(note)
    try:
        outcome = run_cli(
            capsys, "predict", tmp_path / "a.png", "--model", NAME, "--out", tmp_path / "out"
        )
    finally:
        sys.setprofile(None)
    assert outcome.code == 0
    assert "swiftseg.inference.found_model" in seen
    assert len(seen) <= MOST_MODULES, sorted(seen)
