"""The most memory that each command takes, each at the largest input that it accepts.

    python benchmarks/peak_memory.py
    python benchmarks/peak_memory.py "predict 8k" export    only those that begin so; others stay

Each command runs in a process of its own; the peak is what the system says of it when it has ended.
Pictures and masks of 100 megapixels, a video of 8K, as many probabilities as are saved.
Writes benchmarks/results/peak_memory.json; reliability_tables.py puts it into docs/reliability.md.
"""

import argparse
import json
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
from swiftseg.core.budgets import MAX_PIXELS, MAX_PROBABILITIES
from swiftseg.inference.calibration_frames import FEWEST_FRAMES
from swiftseg.inference.video_writer import writing_video
from swiftseg.runtimes.model_file import read_spec
from swiftseg.weights import DEFAULT_MODEL, shipped_models

RESULT = Path(__file__).parent / "results" / "peak_memory.json"
MODEL = DEFAULT_MODEL
VIDEO_HW, FRAMES = (4320, 7680), 16
MOST_MB = 1500
ZIGZAGS = 1990  # edges that cross all rows: just below what is refused as too intricate
# The system counts what a process held before it became another one: this one's numpy, pictures.
LAUNCHER = """
import os, sys
null = os.open(os.devnull, os.O_RDWR)
streams = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=streams)
_, status, used = os.wait4(child, 0)
print(used.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


def write_pictures(folder: Path, side: int) -> None:
    """Write four labeled pictures, whose classes are those of the model."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            (folder / kind / split).mkdir(parents=True)
        for index in range(2):
            small = rng.integers(0, 3, (100, 100), dtype=np.uint8)
            mask = Image.fromarray(small).resize((side, side), Image.Resampling.NEAREST)
            mask.save(folder / "masks" / split / f"{index}.png", compress_level=1)
            image = mask.point(lambda value: 80 * value).convert("RGB")
            image.save(folder / "images" / split / f"{index}.jpg")
    names = read_spec(shipped_models()[MODEL]).labels.names
    (folder / "dataset.yaml").write_text(f"names: {json.dumps(names)}\n")


def repeat_pictures(data: Path, folder: Path) -> None:
    """Link the pictures of a data set to many of other names: as many as calibration asks for."""
    for path in sorted(data.rglob("*.*")):
        target = folder / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        repeats = FEWEST_FRAMES // 4 if path.suffix != ".yaml" else 1
        for number in range(repeats):
            name = path.name if repeats == 1 else f"{number}_{path.name}"
            (target.parent / name).hardlink_to(path)


def write_export(folder: Path, pictures: Path, side: int) -> None:
    """Write a COCO export of two pictures: a polygon over all of each, and one of long zigzags."""
    (folder / "images").mkdir(parents=True)
    corners = [0, 0, side, 0, side, side, 0, side]
    zigzag = [value for x in range(1, ZIGZAGS) for value in (x, 1 if x % 2 else side - 1)]
    images, annotations = list[dict[str, object]](), list[dict[str, object]]()
    for index, picture in enumerate(sorted(pictures.iterdir())):
        (folder / "images" / picture.name).hardlink_to(picture)
        images.append({"id": index, "file_name": picture.name, "height": side, "width": side})
        for category, outline in enumerate((corners, zigzag), 1):
            shape = {"category_id": category, "segmentation": [outline], "iscrowd": 0}
            annotations.append({"id": len(annotations), "image_id": index, **shape})
    categories = [{"id": number, "name": f"class {number}"} for number in (1, 2)]
    content = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "instances.json").write_text(json.dumps(content))


def write_video(path: Path) -> None:
    """Write a short video of 8K, longer than the frames that are worked on at a time."""
    with writing_video(path, fps=Fraction(25)) as writer:
        for index in range(FRAMES):
            writer.write(np.full((*VIDEO_HW, 3), 10 * index, np.uint8), index / 25)


def commands() -> Iterator[tuple[str, ...]]:
    """Name the commands to measure, below the folder of their inputs."""
    model, kinds = ("--model", MODEL), ("--save", "overlay,labels")
    yield ("predict", "8k.mp4", *model, *kinds)
    yield ("predict", "data/images/val/0.jpg", *model, *kinds)
    yield ("predict", "data/images", *model, *kinds)
    yield ("predict", "probabilities/images", *model, "--save", "overlay,labels,probs")
    yield ("label", "data/images", *model, "--engine", "local", "--out", "labeled")
    yield ("label", "8k.mp4", *model, "--engine", "local", "--out", "labeled_video")
    yield ("evaluate", MODEL, "--data", "data")
    yield ("report", MODEL, "--data", "data", "--out", "report.html")
    yield ("data", "check", "data")
    yield ("data", "convert", "coco", "converted")
    yield ("export", MODEL, "--out", "model.onnx")
    int8 = ("--precision", "int8", "--calibration", "many", "--max-drop", "100")
    yield ("export", MODEL, "--out", "int8.onnx", *int8)
    yield ("models",)


def measured(arguments: tuple[str, ...], folder: Path) -> dict[str, object]:
    """Run a command; return its peak, its time and its exit code."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "swiftseg", *arguments]
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    peak_kb, exit_code = map(int, launched.stdout.split())
    return {
        "command": " ".join(arguments),
        "peak_mb": round(peak_kb / 1024),
        "seconds": round(time.monotonic() - begin, 1),
        "exit_code": exit_code,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("beginnings", nargs="*", default=[""])
    beginnings: list[str] = parser.parse_args().beginnings
    known = json.loads(RESULT.read_text("utf-8"))["rows"] if RESULT.exists() else []
    rows: dict[str, dict[str, object]] = {row["command"]: row for row in known}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        side = int(MAX_PIXELS**0.5)
        write_pictures(folder / "data", side)
        write_export(folder / "coco", folder / "data/images/val", side)
        repeat_pictures(folder / "data", folder / "many")
        num_classes = len(read_spec(shipped_models()[MODEL]).labels)
        write_pictures(folder / "probabilities", int((MAX_PROBABILITIES / num_classes) ** 0.5))
        write_video(folder / "8k.mp4")
        for arguments in commands():
            command = " ".join(arguments)
            if command.startswith(tuple(beginnings)):
                rows[command] = measured(arguments, folder)
                print(rows[command], flush=True)
                write_rows(rows)


def write_rows(rows: dict[str, dict[str, object]]) -> None:
    """Write the rows that there are, in the order of the commands."""
    found = [rows[command] for command in map(" ".join, commands()) if command in rows]
    report = {"most_mb": MOST_MB, "machine": describe_machine().model_dump(), "rows": found}
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
