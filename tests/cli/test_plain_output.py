import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ENCODINGS = ["ascii", "cp1252"]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "straße.png"
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(path)
    return path


def run(encoding, *arguments):
    """Run a command whose output goes into a pipe of another encoding, as on Windows."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "swiftseg", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, check=False)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_come_in_every_encoding(picture, tmp_path, encoding):
    swatch = "##"
    done = run(encoding, "predict", picture, "--model", "enet-toystreet", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert f" {swatch} " in done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252"])
def test_errors_name_files_in_every_encoding(picture, encoding):
    picture.write_bytes(b"no picture")
    done = run(encoding, "predict", picture, "--model", "enet-toystreet")
    assert done.returncode == 1
    assert "straße" in done.stderr.decode(encoding)


def test_what_no_encoding_has_is_told_apart(picture, tmp_path):
    name = tmp_path / "日本.txt"  # a list of inputs, of which the second does not exist
    name.write_text(f"{picture}\n{tmp_path / '日本.png'}\n", "utf-8")
    done = run("cp1252", "predict", name, "--model", "enet-toystreet", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "??.png" in done.stderr.decode("cp1252")
