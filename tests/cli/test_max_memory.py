"""`swiftseg predict --max-memory`, in processes of their own, since a limit stays."""

import subprocess
import sys

import pytest
from PIL import Image

from tests.support.exported import write_shade_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has the limit")


def predict(folder, *arguments):
    command = [sys.executable, "-m", "swiftseg", "predict", "--model", "m.onnx", "--threads", "1"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def here(tmp_path):
    write_shade_model(tmp_path / "m.onnx", size_hw=(12, 16))
    Image.new("RGB", (16, 12)).save(tmp_path / "small.png")
    Image.new("RGB", (9000, 9000)).save(tmp_path / "large.png")  # 243 MB in memory
    return tmp_path


def test_what_exceeds_the_limit_costs_itself_alone(here):
    done = predict(here, "large.png", "small.png", "--max-memory", "250")
    assert done.returncode == 1
    assert "large.png: not enough memory" in done.stderr
    assert "Traceback" not in done.stderr
    assert (here / "predictions/labels/small.png").is_file()
    assert not (here / "predictions/labels/large.png").exists()
    assert predict(here, "large.png", "--max-memory", "1500").returncode == 0


def test_a_limit_below_the_program_itself_is_refused(here):
    done = predict(here, "small.png", "--max-memory", "1")
    assert done.returncode == 2
    assert "--max-memory 1: expected more than" in done.stderr
