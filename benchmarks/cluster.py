"""What does labeling on Ray cost, and what survives? The table of labeling's goals.

    python benchmarks/cluster.py [--frames 2000] [--kills 20] [--restarts 5] [--many 100000] [--try]

Draws street frames, labels them with a shipped network, and writes results/cluster.json:

- frames/s of two workers with one thread each against one, by the clock after the first piece;
- the share of the work outside the network at 480x360;
- the time of Ray against `predict` on the same cores, with Ray's start told apart;
- runs with a worker killed (SIGKILL) at a random moment, and with the command killed and started
  again: how many end with the undisturbed run's results, byte for byte;
- many small inputs: the most memory of the command, and of the shared memory of Ray's objects.

Figures are valid from a quiet machine only. The JSON says how busy others kept it, and a run with
`--try` or on a busy machine is marked `"valid": false`. Each part is written as it is measured.
"""

import argparse
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from swiftseg import label_images
from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.files import replacing
from swiftseg.core.progress import LateProgress
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.labeling.results import Summary
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.predict_all import predict_all
from swiftseg.prediction.sources import find_sources

RESULT = Path(__file__).parent / "results/cluster.json"
SIZE_HW = (360, 480)
DRAWN = 60  # frames that are drawn; more are copies of them
RUN = "from swiftseg.cli.main import main; main()"
GOALS = {"workers": 1.8, "outside_share": 0.25, "overhead": 0.15}


def write_frames(folder: Path, count: int) -> Path:
    """Draws frames as JPEG, and copies them under further names."""
    folder.mkdir()
    clip = render_clip(1, min(count, DRAWN), SIZE_HW)
    for index in range(count):
        path = folder / f"{index:06d}.jpg"
        if index < len(clip):
            Image.fromarray(clip[index].image).save(path, quality=90)
        else:
            shutil.copy(folder / f"{index % len(clip):06d}.jpg", path)
    return folder


def write_small(folder: Path, count: int) -> Path:
    """Writes tiny pictures, a thousand in a folder."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for index in range(count):
        path = folder / f"{index // 1000:04d}" / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(pixels, index, axis=1)).save(path)
    return folder


def steady_fps(summary: Summary, batch: int) -> float:
    """Frames a second after the first piece."""
    return (summary.run_frames - batch) / (summary.run_s - summary.startup_s)


def measure_speed(root: Path, frames: int, batch: int) -> dict[str, Any]:
    """One worker, two workers, and `predict`."""
    source = write_frames(root / "frames", frames)
    one = label_images(source, out=root / "one", workers=1, batch=batch)
    two = label_images(source, out=root / "two", workers=2, batch=batch)
    sources = find_sources([str(source)])
    segmenter = Segmenter.load()
    begin = time.perf_counter()
    predict_all(segmenter, sources, Outputs(root / "predicted", ("labels",)))
    predict_fps = frames / (time.perf_counter() - begin)
    work = one.seconds
    return {
        "one_worker_fps": steady_fps(one, batch),
        "two_workers_fps": steady_fps(two, batch),
        "workers": steady_fps(two, batch) / steady_fps(one, batch),
        "outside_share": 1 - work["segment"] / sum(work.values()),
        "stages_ms": {name: 1000 * spent / frames for name, spent in work.items()},
        "predict_fps": predict_fps,
        "overhead": predict_fps / steady_fps(two, batch) - 1,
        "ray_startup_s": two.startup_s,
    }


def start(source: Path, target: Path, batch: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", RUN, "label", str(source), "--out", str(target)]
    return subprocess.Popen(
        [*command, "--batch", str(batch)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def digest_of(target: Path) -> str:
    """One number for all label maps and the manifest."""
    files = sorted([*(target / "labels").rglob("*.png"), target / "manifest.csv"])
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.relative_to(target).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


def workers_of(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if child.cmdline()[0].startswith("ray::") and "Map" in child.cmdline()[0]:
                found.append(child)
        except (psutil.Error, IndexError):
            continue
    return found


def kill_something(process: "subprocess.Popen[bytes]", victim: str, rng: random.Random) -> bool:
    """Kills the command or one of its workers; tells whether there was one."""
    if victim == "command":
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    workers = workers_of(process)
    if workers:
        rng.choice(workers).send_signal(signal.SIGKILL)
    return bool(workers)


def disturbed_runs(root: Path, source: Path, batch: int, count: int, victim: str) -> dict[str, int]:
    """Runs the job so many times with something killed; counts the runs whose results are right."""
    label_images(source, out=root / "undisturbed", engine="local", batch=batch)
    expected = digest_of(root / "undisturbed")
    pieces = -(-len(list(source.iterdir())) // batch)
    told = {"runs": count, "killed": 0, "right": 0}
    for run in range(count):
        rng = random.Random(run)
        target = root / f"{victim}{run}"
        at = rng.randrange(pieces)
        process = start(source, target, batch)
        while process.poll() is None:
            if len(list(target.glob("job/receipts/0*.json"))) >= at:
                told["killed"] += kill_something(process, victim, rng)
                break
            time.sleep(0.02)
        process.wait()
        if victim == "command":
            start(source, target, batch).wait()
        told["right"] += digest_of(target) == expected
        shutil.rmtree(target)
    return told


def measure_many(root: Path, count: int) -> dict[str, float]:
    """Labels many small inputs; looks at memory all the while."""
    source = write_small(root / "small", count)
    shared_before = shutil.disk_usage("/dev/shm").used
    process = start(source, root / "labeled", 256)
    command, shared, begin = 0, 0, time.perf_counter()
    while process.poll() is None:
        try:
            command = max(command, psutil.Process(process.pid).memory_info().rss)
        except psutil.Error:
            break
        shared = max(shared, shutil.disk_usage("/dev/shm").used - shared_before)
        time.sleep(0.2)
    return {
        "inputs": count,
        "exit_code": process.wait(),
        "command_mb": command / 1e6,
        "shared_memory_mb": shared / 1e6,
        "seconds": time.perf_counter() - begin,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--try", dest="is_trial", action="store_true", help="small, and not valid")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    if given.is_trial:
        given.frames, given.kills, given.restarts, given.many = 64, 1, 1, 500
    machine = describe_machine()
    found: dict[str, Any] = {
        "valid": machine.warning is None and not given.is_trial,
        "machine": machine.model_dump(),
        "goals": GOALS,
    }
    with LateProgress("measuring") as progress, tempfile.TemporaryDirectory() as folder:
        progress.expect(4)

        def note(part: str, measured: Any) -> None:
            found[part] = measured
            with replacing(given.out) as temporary:
                temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            progress.advance(part)

        root = Path(folder)
        note("speed", measure_speed(root, given.frames, given.batch))
        source = write_frames(root / "few", 8 * given.batch)
        for victim, count in (("worker", given.kills), ("command", given.restarts)):
            note(f"{victim}_killed", disturbed_runs(root, source, given.batch, count, victim))
        note("many", measure_many(root, given.many))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
