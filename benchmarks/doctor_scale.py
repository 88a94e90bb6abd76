"""What does the doctor hold in memory, and how long does it take? 1,000 to 100,000 pairs.

    python benchmarks/doctor_scale.py

Writes tiny pairs into a temporary folder, 80 % of them train: every image has pixels of its own, as
in a user's folder; the masks are links to 200 files. Each count is checked in a process of its own
by `swiftseg data check` as a user runs it, its progress bar included where this runs on a terminal.
Needs Linux, which tells a process its peak. Writes results/doctor_scale.json.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image

from swiftseg.benchmarking.held_memory import peak_mb

RESULT = Path(__file__).parent / "results/doctor_scale.json"
COUNTS = (1_000, 10_000, 100_000)
SIZE_HW = (12, 16)
DISTINCT_MASKS = 200
TRAIN_SHARE = 0.8
PACKAGES = ("swiftseg", "numpy", "pillow")


def write_pairs(root: Path, count: int) -> None:
    """Writes `images/{train,val}` and `masks/{train,val}`."""
    rng = np.random.default_rng(0)
    originals = root.with_name(f"{root.name} originals")
    originals.mkdir(parents=True)
    for number in range(DISTINCT_MASKS):
        mask = np.kron(rng.integers(0, 5, (3, 4)), np.ones((4, 4))).astype(np.uint8)
        Image.fromarray(mask).save(originals / f"{number}.png")
    for split, numbers in splits(count).items():
        for kind in ("images", "masks"):
            (root / kind / split).mkdir(parents=True)
        for number in numbers:
            name = f"frame_{number:06d}.png"
            pixels = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "images" / split / name, compress_level=0)
            original = originals / f"{number % DISTINCT_MASKS}.png"
            os.link(original, root / "masks" / split / name)


def splits(count: int) -> dict[str, range]:
    cut = round(TRAIN_SHARE * count)
    return {"train": range(cut), "val": range(cut, count)}


def check(source: str, out: str, result: str) -> None:
    """Runs the command in this process, and tells its time and most resident memory."""
    from swiftseg.cli.main import main as swiftseg

    loaded_mb = peak_mb()
    begin = perf_counter()
    with suppress(SystemExit):
        swiftseg(["data", "check", source, "--out", out])
    measured = {
        "seconds": perf_counter() - begin,
        "peak_mb_at_start": loaded_mb,
        "peak_mb": peak_mb(),
    }
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


def measure(count: int, folder: Path) -> dict[str, float]:
    """Writes pairs, checks them in a fresh process, and gives what that cost."""
    source, result = folder / f"pairs_{count}", folder / f"{count}.json"
    write_pairs(source, count)
    arguments = ["check", str(source), str(folder / f"out_{count}"), str(result)]
    subprocess.run([sys.executable, __file__, *arguments], check=True)
    return {"pairs": count, **json.loads(result.read_text(encoding="utf-8"))}


def main() -> None:
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
        return
    # Written before the files are removed, which takes its time.
    with tempfile.TemporaryDirectory() as folder:
        write_result([measure(count, Path(folder)) for count in COUNTS])


def write_result(runs: list[dict[str, float]]) -> None:
    less, more = runs[-2:]
    growth = 1e6 * (more["peak_mb"] - less["peak_mb"]) / (more["pairs"] - less["pairs"])
    result = {
        "command": "python benchmarks/doctor_scale.py",
        "versions": {name: version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),  # of 1, 5 and 15 minutes, this run's own among it
        "runs": runs,
        "growth_bytes_a_pair": growth,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
