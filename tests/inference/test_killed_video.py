"""What a SIGKILL leaves of a video can be played."""

import signal
import subprocess
import sys

from swiftseg.core import SwiftsegError
from swiftseg.inference.video import reading_video

WRITER = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from swiftseg.inference.video_writer import writing_video

with writing_video(Path(sys.argv[1]), fps=Fraction(25)) as writer:
    for index in range(600):
        writer.write(np.full((32, 48, 3), index % 256, np.uint8), index / 25)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_video_can_be_played(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.mp4")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".a-")
    count = 0
    try:
        with reading_video(left) as video:
            for _ in video.frames():
                count += 1
    except SwiftsegError as error:
        assert "breaks off" in str(error)  # noqa: PT017 how it ends is not what counts
    assert count >= 500  # whole groups of 250 frames
