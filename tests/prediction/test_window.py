import os
import shutil
import subprocess
import sys

import pytest

from swiftseg.core import SwiftsegError
from swiftseg.prediction.window import showing
from tests.support.exported import write_shade_model
from tests.support.videos import write_clip

SCRIPT = """
import numpy as np
from swiftseg.prediction.window import showing
with showing("drive.mp4") as window:
    import av
    for shade in (20, 120, 220):
        picture = np.full((48, 64, 3), shade, np.uint8)
        print(window.show(av.VideoFrame.from_ndarray(picture, format="rgb24")))
"""


@pytest.fixture
def display():
    """A screen in memory."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb (on Debian: apt-get install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as numbers:
        yield {**os.environ, "DISPLAY": f":{numbers.readline().strip()}"}
    server.terminate()
    server.wait()


def run(environment, *arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_pictures_are_shown(display):
    done = run(display, "-c", SCRIPT)
    assert (done.returncode, done.stdout) == (0, "True\nTrue\nTrue\n"), done.stderr


def test_predict_shows_a_video_to_its_end(display, tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 5)
    model = write_shade_model(tmp_path / "m.onnx")
    command = ["-m", "swiftseg", "predict", clip, "--model", model, "--show", "--save", "labels"]
    done = run(display, *command, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out/labels/a").iterdir())) == 5


def test_without_a_display_it_is_told(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SwiftsegError, match="needs a display"), showing("a"):
        pass


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SwiftsegError, match=r"swiftseg\[show\]"), showing("a"):
        pass
