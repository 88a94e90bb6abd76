"""What `swiftseg predict` costs besides the network: its start, and its share of a folder's time.

    python benchmarks/predict_startup.py [--images DIR]

First label: from the start of the process until the label map of one 480x360 image stands on the
disk; must 1.0 s, goal 0.5 s. Share outside: over a folder of such images, the part of the wall
clock in which the network was not at work; must 30 %, goal 15 %. Beside it stands the same for the
same work without threads. Without a folder the images are drawn.

Writes results/predict_startup.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.predict_all import predict_all
from swiftseg.prediction.sources import Source, find_sources
from swiftseg.weights import DEFAULT_MODEL

RESULT = Path(__file__).parent / "results/predict_startup.json"
KINDS = ("overlay", "labels")  # what `predict` writes by itself
DRAWN = 40
LIMITS = {
    "first_label_s": {"must": 1.0, "goal": 0.5},
    "share_outside_network": {"must": 0.30, "goal": 0.15},
}


def first_label(image: str, out: Path) -> dict[str, float]:
    """Starts the command; gives seconds until its files stood there and until it ended."""
    command = [sys.executable, "-m", "swiftseg", "predict", image, "--out", str(out)]
    begin_ns = time.time_ns()
    subprocess.run(command, check=True, capture_output=True)
    end_ns = time.time_ns()
    [labels] = (out / "labels").iterdir()
    [overlay] = (out / "overlay").iterdir()
    # A file's status changes last when it takes its name.
    return {
        "label_s": (labels.stat().st_ctime_ns - begin_ns) / 1e9,
        "overlay_s": (overlay.stat().st_ctime_ns - begin_ns) / 1e9,
        "exit_s": (end_ns - begin_ns) / 1e9,
    }


def in_threads(segmenter: Segmenter, sources: list[Source], out: Path) -> float:
    """Return the share outside the network as `predict` works through a folder."""
    begin = perf_counter()
    run = predict_all(segmenter, sources, Outputs(out, KINDS))
    wall_ms = 1000 * (perf_counter() - begin)
    assert not run.errors
    return 1 - sum(sum(one.timings_ms["network"]) for one in run.predictions) / wall_ms


def one_by_one(segmenter: Segmenter, sources: list[Source], out: Path) -> float:
    """Return the same for the same work in one thread."""
    outputs = Outputs(out, KINDS)
    network_ms = 0.0
    begin = perf_counter()
    for source in sources:
        result = segmenter(source.given)
        network_ms += result.timings_ms["network"]
        outputs.write_arrays(source.name, result)
        outputs.write_overlay(source.name, result)
    return 1 - network_ms / (1000 * (perf_counter() - begin))


def draw_images(folder: Path) -> Path:
    for sample in render_clip(1, DRAWN, (360, 480)):
        Image.fromarray(sample.image).save(folder / f"{sample.name}.jpg", quality=92)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, help="a folder of 480x360 images [drawn ones]")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--starts", type=int, default=15)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        images = given.images or draw_images(folder / "images")
        sources = find_sources([str(images)])
        starts = [
            first_label(sources[0].given, folder / f"start{n}") for n in range(given.starts + 1)
        ][1:]  # the first one fills the disk's cache
        segmenter = Segmenter.load()
        in_threads(segmenter, sources, folder / "warm")
        shares = [
            {
                "in_threads": in_threads(segmenter, sources, folder / "in_threads"),
                "one_by_one": one_by_one(segmenter, sources, folder / "one_by_one"),
            }
            for _ in range(given.passes)
        ]
    result: dict[str, Any] = {
        "command": "python benchmarks/predict_startup.py",
        "model": DEFAULT_MODEL,
        "images": len(sources),
        "machine": machine.model_dump(),
        "limits": LIMITS,
        "first_label_s": median(start["label_s"] for start in starts),
        "first_overlay_s": median(start["overlay_s"] for start in starts),
        "exit_s": median(start["exit_s"] for start in starts),
        "share_outside_network": median(share["in_threads"] for share in shares),
        "share_outside_network_one_by_one": median(share["one_by_one"] for share in shares),
        "starts": starts,
        "shares": shares,
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    shown = {name: value for name, value in result.items() if name not in ("starts", "shares")}
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
