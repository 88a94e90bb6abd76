"""How much of an evaluation is not the network? Goal: below 15 % on CamVid's val at 480x360.

    python benchmarks/evaluation_time.py --camvid DIR

Runs the evaluation of the shipped enet-camvid several times and compares the wall clock with the
time inside the engine; what is left is reading, resizing and scoring as far as no other core does
it meanwhile. Writes results/evaluation_time.json.
"""

import argparse
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter

from swiftseg.data import open_dataset
from swiftseg.evaluation import PROTOCOLS, evaluate
from swiftseg.inference import Segmentation, Segmenter
from swiftseg.inference.segmenter import Frame
from swiftseg.runtimes.cores import physical_cores

RESULT = Path(__file__).parent / "results/evaluation_time.json"
MODEL = "enet-camvid"
REPEATS = 5
GOAL = 0.15
PACKAGES = ("swiftseg", "onnxruntime", "numpy", "pillow")


class TimedSegmenter(Segmenter):
    """Adds up the time inside the engine."""

    network_ms = 0.0

    def __call__(self, image: Frame) -> Segmentation:
        result = super().__call__(image)
        self.network_ms += result.timings_ms["network"]
        return result


def measure(segmenter: TimedSegmenter, camvid: str) -> dict[str, float]:
    dataset = open_dataset(camvid, "val")
    segmenter.network_ms = 0.0
    begin = perf_counter()
    evaluation = evaluate(segmenter, dataset, protocol=PROTOCOLS["enet"])
    wall_ms = 1000 * (perf_counter() - begin)
    return {
        "frames": evaluation.frames,
        "wall_ms": wall_ms,
        "network_ms": segmenter.network_ms,
        "share_outside": 1 - segmenter.network_ms / wall_ms,
    }


def summary(runs: Sequence[dict[str, float]]) -> dict[str, object]:
    return {
        "command": "python benchmarks/evaluation_time.py --camvid CAMVID",
        "model": MODEL,
        "protocol": str(PROTOCOLS["enet"]),
        "versions": {name: version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "physical_cores": physical_cores(),
        "load_average": os.getloadavg(),  # of 1, 5 and 15 minutes, this run's own among it
        "share_outside_median": median(run["share_outside"] for run in runs),
        "goal": GOAL,
        "runs": runs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--camvid", required=True, help="the folder of CamVid")
    camvid = parser.parse_args().camvid
    segmenter = TimedSegmenter.load(MODEL)
    assert isinstance(segmenter, TimedSegmenter)
    measure(segmenter, camvid)  # fills the caches of disk and engine
    result = summary([measure(segmenter, camvid) for _ in range(REPEATS)])
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
