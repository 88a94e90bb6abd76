import json
import subprocess
import sys

import pytest

from swiftseg.cluster.evaluate_on_ray import SHARD
from tests.support.exported import write_shade_model
from tests.support.shady_frames import write_shady_frames

pytestmark = pytest.mark.slow


def spoil(index, mask):
    mask[: index % 20] = index % 3


def evaluated(folder, *options):
    command = [sys.executable, "-c", "from swiftseg.cli.main import main; main()", "evaluate"]
    command += ["m.onnx", "--data", "data", "--calibration-error", "--json", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_workers_count_what_one_process_counts(tmp_path):
    write_shade_model(tmp_path / "m.onnx", size_hw=(24, 32))
    write_shady_frames(tmp_path / "data", 2 * SHARD + 3, spoil)
    alone = evaluated(tmp_path)
    assert alone["frames"] == 2 * SHARD + 3
    # All counts, and the interval too, which depends on the frames' order.
    assert evaluated(tmp_path, "--workers", "2") == alone
