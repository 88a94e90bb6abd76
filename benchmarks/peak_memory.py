"""The most memory that each command takes, each at the largest input that it accepts.

    python benchmarks/peak_memory.py

Each command runs in a process of its own; the peak is what the system says of it when it has ended.
Pictures of 100 megapixels, a video of 8K, masks of 100 megapixels, a model of the paper's size.
Writes benchmarks/results/peak_memory.json.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.budgets import MAX_PIXELS
from swiftseg.inference.video_writer import writing_video

RESULT = Path(__file__).parent / "results" / "peak_memory.json"
SIDE = int(MAX_PIXELS**0.5)
VIDEO_HW, FRAMES = (4320, 7680), 4
MOST_MB = 1500


def write_inputs(folder: Path) -> None:
    """Write four labeled pictures at the limit, and a short video of 8K."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            (folder / "data" / kind / split).mkdir(parents=True)
        for index in range(2):
            small = rng.integers(0, 3, (100, 100), dtype=np.uint8)
            mask = Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            mask.save(folder / "data/masks" / split / f"{index}.png", compress_level=1)
            mask.point(lambda value: 80 * value).convert("RGB").save(
                folder / "data/images" / split / f"{index}.jpg"
            )
    (folder / "data/dataset.yaml").write_text("names: [a, b, c]\n")
    with writing_video(folder / "8k.mp4", fps=Fraction(25)) as writer:
        for index in range(FRAMES):
            writer.write(np.full((*VIDEO_HW, 3), 40 * index, np.uint8), index / 25)


def commands() -> Iterator[tuple[str, ...]]:
    """Name the commands to measure, below the folder of their inputs."""
    yield ("predict", "data/images/val/0.jpg")
    yield ("predict", "data/images")
    yield ("predict", "8k.mp4")
    yield ("label", "data/images", "--engine", "local", "--out", "labeled")
    yield ("data", "check", "data")
    yield ("evaluate", "enet-toystreet", "--data", "toystreet")
    yield ("report", "enet-toystreet", "--data", "toystreet", "--out", "report.html")
    yield ("export", "enet-toystreet", "--out", "model.onnx")
    yield ("models",)


def measured(arguments: tuple[str, ...], folder: Path) -> dict[str, object]:
    """Run a command; return its peak, its time and its exit code."""
    begin = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "swiftseg", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    return {
        "command": " ".join(arguments),
        "peak_mb": round(used.ru_maxrss / 1024),
        "seconds": round(time.monotonic() - begin, 1),
        "exit_code": os.waitstatus_to_exitcode(status),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder)
        rows: list[dict[str, object]] = []
        for arguments in commands():
            rows.append(measured(arguments, folder))
            print(rows[-1], flush=True)
    report = {"most_mb": MOST_MB, "machine": describe_machine().model_dump(), "rows": rows}
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
