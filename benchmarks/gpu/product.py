"""Run swiftseg itself on a GPU: labels against the CPU's, and a short training by the command line.

    PYTHONPATH=src python3 -m benchmarks.gpu.product --data CAMVID --out OUT

Writes OUT/product.json after every step: of each shipped model and precision the share of labels
that equal the CPU's in float32, and the milliseconds of a frame of 480x360 from and to the host's
memory; and the seconds of `swiftseg train` with its scores. What fails is noted, and costs itself
alone.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from swiftseg.core.files import replacing
from swiftseg.data import open_dataset
from swiftseg.inference import Segmenter
from swiftseg.runtimes.torch_backend import PRECISIONS
from swiftseg.weights import shipped_weights

RESULT = "product.json"
FRAME_HW = 360, 480
FRAMES, REPEATS = 4, 30
TRAINING = ("fast_scnn_camvid_modern", "--epochs", "2")


def scenes() -> list[np.ndarray]:
    """Render street scenes, uint8 (H, W, 3)."""
    dataset = open_dataset("toystreet", "val")
    pictures = [Image.fromarray(dataset[index].image) for index in range(FRAMES)]
    return [np.asarray(picture.resize(FRAME_HW[::-1])) for picture in pictures]


def labels_of(segmenter: Segmenter, frames: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([segmenter(frame).label_map for frame in frames])


def compare(model: str, device: str, frames: Sequence[np.ndarray]) -> dict[str, Any]:
    """Label the frames in every precision on the device, and in float32 on the CPU."""
    path = shipped_weights()[model]
    expected = labels_of(Segmenter.load(path, backend="torch", device="cpu"), frames)
    found: dict[str, Any] = {}
    for precision in PRECISIONS:
        segmenter = Segmenter.load(path, backend="torch", device=device, precision=precision)
        equal = labels_of(segmenter, frames) == expected
        times_ms: list[float] = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            segmenter(frames[0])
            times_ms.append(1000 * (time.perf_counter() - started))
        found[precision] = {
            "equal_labels": round(float(equal.mean()), 6),
            "median_ms": round(statistics.median(times_ms), 3),
        }
    return found


def train(data: Path, out: Path) -> dict[str, Any]:
    """Train for two epochs by the command line, which takes the GPU that it finds."""
    command = [sys.executable, "-m", "swiftseg", "train", *TRAINING, "--data", str(data)]
    started = time.monotonic()
    ended = subprocess.run(
        [*command, "--out", str(out)], capture_output=True, text=True, check=False
    )
    told = (ended.stdout + ended.stderr).splitlines()
    facts = {
        "command": " ".join(["swiftseg", *command[3:]]),
        "exit_code": ended.returncode,
        "seconds": round(time.monotonic() - started, 1),
        "last_lines": told[-30:],
    }
    metrics = out / "metrics.csv"
    return facts | {"metrics": metrics.read_text("utf-8") if metrics.exists() else None}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, help="CamVid, to train on [no training]")
    parser.add_argument("--out", type=Path, default=Path("product"), help="folder of results")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    given = parser.parse_args(arguments)
    cuda = given.device == "cuda"
    facts: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "frame": "480x360, from and to the host's memory",
    }
    frames = scenes()
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        model: lambda model=model: compare(model, given.device, frames)
        for model in shipped_weights()
    }
    if given.data is not None:
        steps["swiftseg train"] = lambda: train(given.data, given.out / "run")
    for name, step in steps.items():
        try:
            facts[name] = step()
        except Exception as error:
            facts[name] = {"failed": f"{type(error).__name__}: {error}"}
        print(name, {k: v for k, v in facts[name].items() if k != "metrics"}, flush=True)
        with replacing(given.out / RESULT) as path:
            path.write_text(json.dumps(facts, indent=1), "utf-8")


if __name__ == "__main__":
    main()
