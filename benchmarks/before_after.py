"""Is swiftseg as fast as it was? The same commands from two source trees, in turn.

    python benchmarks/before_after.py --before CHECKOUT [--images DIR]

CHECKOUT is the sources of an earlier time (`git worktree add CHECKOUT COMMIT`) with their native
library built. Measured are `swiftseg --help`, `predict` on one image and on a folder, and the
images per second of a training's last epoch, each in processes of its own, the two trees in turn.
Writes results/before_after.json: seconds, and `slower`, the median of the ratios after / before;
1.05 is the most that is accepted. Measure on a machine that has nothing else to do.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from compileall import compile_dir
from pathlib import Path
from statistics import median

import yaml
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.files import write_file
from swiftseg.data.toy_street import ToyStreet, render_clip

RESULT = Path(__file__).parent / "results/before_after.json"
AFTER = Path(__file__).parents[1]
LIMIT = 1.05
MODEL, SIZE_HW = "enet-camvid", (360, 480)
DRAWN, TRAINED, HELD_OUT = 101, 64, 4
RECIPE = {
    "name": "speed",
    "training_data": "toy street",
    "license_note": "generated",
    "input": {"size_hw": list(SIZE_HW)},
    "batch_size": 8,
    "seed": 0,
    "compile": False,
    "optimizer": {"name": "adam", "lr": 5.0e-4},
    "stages": [
        {
            "name": "full",
            "network": "fast_scnn",
            "epochs": 3,
            "schedule": {"name": "step", "every": 3, "gamma": 0.1},
        }
    ],
}


def swiftseg(tree: Path, *arguments: str | Path) -> float:
    """Run a command from a tree's sources; return its seconds."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    command = [sys.executable, "-m", "swiftseg", *map(str, arguments)]
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - begin


def seconds_an_image(tree: Path, data: Path, folder: Path) -> float:
    """Train for three epochs; return the seconds that an image took in the last one."""
    recipe = folder / "recipe.yaml"
    labels = yaml.safe_load((data / "dataset.yaml").read_text())["names"]
    recipe.write_text(yaml.safe_dump({**RECIPE, "num_classes": len(labels)}))
    swiftseg(tree, "train", recipe, "--data", data, "--out", folder / "run", "--overwrite")
    rows = list(csv.DictReader((folder / "run/metrics.csv").read_text().splitlines()))
    return 1 / float(rows[-1]["images_per_second"])


def write_data(folder: Path) -> Path:
    """Write drawn streets as a user's folder with two splits."""
    for split, count in (("train", TRAINED), ("val", HELD_OUT)):
        for number, sample in enumerate(ToyStreet(split, count, SIZE_HW)):
            for name, pixels in (("images", sample.image), ("masks", sample.mask)):
                path = folder / name / split / f"{number:03}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    labels = ToyStreet("train", 1, SIZE_HW).labels
    described = {"names": list(labels.names), "ignore_index": labels.ignore_index}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(described))
    return folder


def draw_images(folder: Path) -> Path:
    folder.mkdir()
    for sample in render_clip(1, DRAWN, SIZE_HW):
        Image.fromarray(sample.image).save(folder / f"{sample.name}.jpg", quality=92)
    return folder


def compare(work: Callable[[Path], float], before: Path, rounds: int) -> dict[str, object]:
    """Do some work from both trees in turn, after one round that is not counted."""
    pairs = [(work(before), work(AFTER)) for _ in range(rounds + 1)][1:]
    return {
        "before_s": median(pair[0] for pair in pairs),
        "after_s": median(pair[1] for pair in pairs),
        "slower": median(pair[1] / pair[0] for pair in pairs),
        "pairs_s": pairs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--before", type=Path, required=True, help="a checkout of earlier sources")
    parser.add_argument("--images", type=Path, help="a folder of images [drawn ones]")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    command = ["git", "-C", str(given.before), "log", "-1", "--format=%h %cs"]
    commit = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    for tree in (given.before, AFTER):  # as an installation does
        compile_dir(tree / "src", quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = given.images or draw_images(folder / "images")
        data, one = write_data(folder / "data"), sorted(images.iterdir())[0]
        predict = ("--model", MODEL, "--save", "labels", "--out", folder / "labels")
        works: dict[str, Callable[[Path], float]] = {
            "help": lambda tree: swiftseg(tree, "--help"),
            "predict, one image": lambda tree: swiftseg(tree, "predict", one, *predict),
            "predict, a folder": lambda tree: swiftseg(tree, "predict", images, *predict),
            "training, an image": lambda tree: seconds_an_image(tree, data, folder),
        }
        rows = {
            what: compare(work, given.before, 3 if "training" in what else given.rounds)
            for what, work in works.items()
        }
    result = {
        "command": "python benchmarks/before_after.py --before CHECKOUT",
        "before": commit,
        "limit": LIMIT,
        "machine": describe_machine().model_dump(),
        "rows": rows,
    }
    write_file(given.out, json.dumps(result, indent=1) + "\n")
    for what, row in rows.items():
        print(f"{what}: {row['before_s']:.3f} s, {row['after_s']:.3f} s, {row['slower']:.3f} times")


if __name__ == "__main__":
    main()
