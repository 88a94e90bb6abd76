import os
import subprocess
import sys

import numpy as np

from swiftseg.runtimes import labels_of, load_backend
from swiftseg.runtimes.base import upsampled_of
from tests.support.exported import write_shade_model

# Two engines that end in the order of their making would leave a stack for signals that is gone.
SCRIPT = """
import signal, sys
from pathlib import Path
from swiftseg.runtimes import load_backend
backends = [load_backend(Path(sys.argv[1]), name="openvino") for _ in range(2)]
del backends[0]
del backends[0]
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""

# Threads change at every opportunity, so that both are in their first run at once.
FIRST_RUNS = """
import sys, threading
from pathlib import Path
import numpy as np
from swiftseg.runtimes import labels_of, load_backend
backends = [load_backend(Path(sys.argv[1]), name="openvino", threads=1) for _ in range(2)]
frame = np.zeros((1, 12, 16, 3), np.uint8)
start = threading.Barrier(2)
def run(backend):
    start.wait()
    labels_of(backend, frame)
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run, args=(backend,)) for backend in backends]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("both ran")
"""


def test_two_threads_may_run_their_first_frames_at_once(tmp_path):
    model = write_shade_model(tmp_path / "m.onnx")
    command = [sys.executable, "-c", FIRST_RUNS, str(model)]
    for _ in range(3):  # two of three waited for ever
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("both ran\n", "")


def test_a_process_that_has_let_models_go_survives_ctrl_c(tmp_path):
    model = write_shade_model(tmp_path / "m.onnx")
    command = [sys.executable, "-c", SCRIPT, str(model)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_a_frame_alone_gets_the_labels_and_logits_that_it_gets_among_others(tmp_path):
    frames = np.random.default_rng(3).integers(0, 256, (3, 12, 16, 3), dtype=np.uint8)
    backend = load_backend(write_shade_model(tmp_path / "m.onnx"), name="openvino")
    for answer in (labels_of, upsampled_of):
        alone = np.concatenate([answer(backend, frame[None]) for frame in frames])
        np.testing.assert_array_equal(alone, answer(backend, frames))


WITHOUT_TELEMETRY = """
import os, sys
os.getuid = lambda: 1 << 30  # a user whom the system does not know
from swiftseg.runtimes import openvino_engine
print(sorted(name for name in sys.modules if name.startswith("openvino_telemetry")))
"""


def test_it_loads_without_a_home_folder_and_reports_to_nobody():
    kept = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-c", WITHOUT_TELEMETRY]
    done = subprocess.run(command, env=kept, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
