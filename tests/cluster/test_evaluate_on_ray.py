import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from swiftseg.cluster.evaluate_on_ray import SHARD
from tests.support.exported import write_shade_model
from tests.support.shady_frames import write_shady_frames

pytestmark = pytest.mark.slow


def spoil(index, mask):
    mask[: index % 20] = index % 3


def evaluate(folder, *options, **environment):
    command = [sys.executable, "-c", "from swiftseg.cli.main import main; main()", "evaluate"]
    command += ["m.onnx", "--data", "data", "--calibration-error", "--json", *options]
    whole = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=whole)


def evaluated(folder, *options):
    done = evaluate(folder, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_workers_count_what_one_process_counts(tmp_path):
    write_shade_model(tmp_path / "m.onnx", size_hw=(24, 32))
    write_shady_frames(tmp_path / "data", 2 * SHARD + 3, spoil)
    alone = evaluated(tmp_path)
    assert alone["frames"] == 2 * SHARD + 3
    # All counts, and the interval too, which depends on the frames' order.
    assert evaluated(tmp_path, "--workers", "2") == alone


def test_a_frame_that_kills_its_workers_ends_the_evaluation(tmp_path):
    write_shade_model(tmp_path / "m.onnx", size_hw=(24, 32))
    data = write_shady_frames(tmp_path / "data", SHARD + 3, spoil)
    for kind in ("images", "masks"):
        (data / kind / f"val/{SHARD + 1}.png").rename(data / kind / "val/poison.png")
    support = str(Path(__file__).parents[1] / "support/poisoned")
    path = ":".join([support, *filter(None, sys.path)])
    done = evaluate(tmp_path, "--workers", "2", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"error: 2 workers died while counting frames {SHARD + 1} to {SHARD + 3}; without "
        "--workers the frame that ends them shows\n"
    )
