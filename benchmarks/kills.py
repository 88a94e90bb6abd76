"""Trainings and exports killed at random moments; what is left must be whole, and go on.

    python benchmarks/kills.py --count 100

Every second one is a training of the shipped ENet recipe on a few frames, which is resumed and must
end with the bits of one that nothing has stopped. The others are exports, after which the file is
absent, or opens. Prints a line a kill; ends with an error at the first that fails.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.trained import load_checkpoint

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.tiny_camvid import make_tiny_camvid

SETTINGS = (
    *("--set", "input.size_hw=[24, 32]", "--set", "batch_size=2", "--set", "validate_every=1"),
    *("--set", "stages.0.epochs=1", "--set", "stages.1.epochs=1"),
)


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "swiftseg", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(*arguments: str) -> None:
    """Run a command to its end."""
    child = start(*arguments)
    _, said = child.communicate()
    assert child.returncode == 0, said.decode()[-500:]


def timed(*arguments: object) -> float:
    """Run a command to its end; return how many seconds it took."""
    begin = time.monotonic()
    finish(*map(str, arguments))
    return time.monotonic() - begin


def killed_within(seconds: float, *arguments: str) -> bool:
    """Kill a command after some time; return whether it still ran."""
    child = start(*arguments)
    try:
        child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.communicate()
        return True
    return False


def check_training(folder: Path, data: Path, through: Path, seconds: float) -> bool:
    run = folder / "run"
    command = ("train", "enet_camvid", "--data", str(data), "--out", str(run), *SETTINGS)
    was_killed = killed_within(seconds, *command)
    for path in run.glob("[!.]*.pt"):
        load_checkpoint(path)
    if was_killed:
        finish(*command, *(("--resume",) if (run / "recipe.yaml").exists() else ()))
    ours, theirs = (load_checkpoint(path / "last.pt").network for path in (run, through))
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), f"{name} differs after a kill at {seconds:.2f} s"
    return was_killed


def check_export(folder: Path, seconds: float) -> bool:
    path = folder / "m.onnx"
    was_killed = killed_within(seconds, "export", "enet-toystreet", "--out", str(path))
    if path.exists():
        segmenter = Segmenter.load(path)
        segmenter(next(iter(ToyStreet("test", 1, segmenter.spec.input.size_hw))).image)
    return was_killed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data = make_tiny_camvid(root / "camvid")
        through = root / "through"
        train_s = timed("train", "enet_camvid", "--data", data, "--out", through, *SETTINGS)
        export_s = timed("export", "enet-toystreet", "--out", root / "m.onnx")
        for number in range(options.count):
            folder = root / str(number)
            folder.mkdir()
            is_training = number % 2 == 0
            seconds = moments.uniform(0, train_s if is_training else export_s)
            if is_training:
                was_killed = check_training(folder, data, through, seconds)
            else:
                was_killed = check_export(folder, seconds)
            what = "training" if is_training else "export"
            told = "killed" if was_killed else "ended before"
            print(f"{number + 1}: {what} {told} at {seconds:.2f} s, whole", flush=True)


if __name__ == "__main__":
    main()
