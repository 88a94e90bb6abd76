"""Every seed, and every input that has ever failed, is read or refused in one line."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, run_one

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_that_once_failed(name: str, tmp_path: Path):
    inputs = [
        path for kind in ("corpus", "found") for path in sorted((HERE / kind / name).glob("*"))
    ]
    assert inputs, f"no seeds in {HERE / 'corpus' / name}"
    for path in inputs:
        run_one(name, path.read_bytes(), tmp_path)
