"""No command looks a name up or connects anywhere unasked, its engines included."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tiny_camvid import make_tiny_camvid

SOURCE = Path(__file__).parents[1] / "support" / "network_log.c"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="preloads a C library"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("library") / "network_log.so"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


def run_logged(library: Path, folder: Path, *command: str) -> str:
    """Run a Python command; return what it looked up and connected to."""
    log = folder / "network.log"
    log.touch()
    environment = {**os.environ, "LD_PRELOAD": str(library), "NETWORK_LOG": str(log)}
    environment |= {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return log.read_text()


def test_the_log_sees_what_a_process_does(library: Path, tmp_path: Path):
    script = (
        "import socket\n"
        "s = socket.socket(); s.settimeout(0.1)\n"
        "try: s.connect(('127.0.0.2', 9))\n"
        "except OSError: pass\n"
        "try: socket.getaddrinfo('name.invalid', 80)\n"
        "except OSError: pass\n"
    )
    assert run_logged(library, tmp_path, "-c", script) == "looked up name.invalid\n"


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "CAMVID/val", "--model", "enet-camvid"],
        ["predict", "CAMVID/val", "--model", "enet-camvid", "--backend", "auto"],
        ["evaluate", "enet-camvid", "--data", "CAMVID"],
        ["export", "enet-camvid", "--out", "m.onnx", "--size", "64x96"],
        pytest.param(
            ["train", "enet", "--data", "CAMVID", "--set", "stages.0.epochs=1"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["benchmark", "enet-camvid", "--seconds", "0.1"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=" ".join,
)
def test_commands_stay_on_this_machine(library: Path, tmp_path: Path, command: list[str]):
    make_tiny_camvid(tmp_path / "CAMVID", size_hw=(48, 64))
    assert run_logged(library, tmp_path, "-m", "swiftseg", *command) == ""
