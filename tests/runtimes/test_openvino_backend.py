import subprocess
import sys

from tests.support.exported import write_shade_model

# Two engines that end in the order of their making would leave a stack for signals that is gone.
SCRIPT = """
import signal, sys
from pathlib import Path
from swiftseg.runtimes import load_backend
backends = [load_backend(Path(sys.argv[1]), name="openvino") for _ in range(2)]
del backends[0]
del backends[0]
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_process_that_has_let_models_go_survives_ctrl_c(tmp_path):
    model = write_shade_model(tmp_path / "m.onnx")
    command = [sys.executable, "-c", SCRIPT, str(model)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
