"""What does labeling on Ray cost, and what survives? The table of labeling's goals.

    python benchmarks/cluster.py                          all of it, some 30 minutes on two cores
    python benchmarks/cluster.py --parts worker,command   some of its parts; the others stay

Draws street frames, labels them with shipped networks, and writes results/cluster.json by parts:

- scaling: frames/s of two workers with one thread each against one, with a network that takes most
  of the time;
- overhead: the share of the work outside the network at 480x360, and the time of Ray against
  `predict` on the same cores; Ray's start is told apart;
- worker, command: runs with a worker killed (SIGKILL) at a random moment, and with the command
  killed and started again: how many end with the undisturbed run's results, byte for byte;
- nodes: a job on two nodes of this machine, and one whose second node goes in the middle;
- store: a job in an object store that throttles, fails and hangs up;
- many: many small inputs; the most memory of the command, and the shared memory of Ray's objects.

A rate comes from two runs, a long one and a quarter of it: the further frames by the further time,
in which nothing starts. Scaling and overhead are valid from a quiet machine only; the JSON says how
busy others kept it, and marks a part from a busy machine `"valid": false`.
"""

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from swiftseg import label_images
from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.files import write_file
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.labeling.place import RemotePlace
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.predict_all import predict_all
from swiftseg.prediction.sources import find_sources
from swiftseg.weights import DEFAULT_MODEL

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.exported import write_shade_model
from tests.support.labeled_trees import results_in
from tests.support.object_store import BUCKET, object_store
from tests.support.ray_runs import (
    kill_a_worker,
    label,
    labeling,
    receipts_in,
    stop_node,
    two_nodes,
)

RESULT = Path(__file__).parent / "results/cluster.json"
SIZE_HW = (360, 480)
SLOW_MODEL = "enet-camvid"  # beside which reading and writing take little
DRAWN = 60  # frames that are drawn; more are copies of them
BATCH, ROUNDS = 64, 3  # as the command has it
PLAIN_S = 10.0
PIECES, SMALL_BATCH = 24, 4  # of the jobs that are disturbed
TROUBLE = 0.25  # the share of a store's requests that go wrong
GOALS = {"scaling": 1.8, "outside_share": 0.25, "overhead": 0.15}

Measured = dict[str, Any]


def write_frames(folder: Path, count: int) -> Path:
    """Draw frames as JPEG, and copy them under further names."""
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
    """Write tiny pictures, a thousand in a folder."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for index in range(count):
        path = folder / f"{index // 1000:04d}" / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(pixels, index, axis=1)).save(path)
    return folder


def rate(work: Callable[[Path], object], root: Path, frames: int) -> tuple[float, float]:
    """Return the frames/s of some work once it runs, and the seconds until then.

    Args:
        work: Labels a folder of frames.
        root: Where the frames are drawn.
        frames: How many the longer run has.
    """
    counts, seconds = (frames // 4, frames), list[float]()
    for count in counts:
        source = root / f"frames{count}"
        if not source.exists():
            write_frames(source, count)
        begin = time.perf_counter()
        work(source)
        seconds.append(time.perf_counter() - begin)
    fps = (counts[1] - counts[0]) / (seconds[1] - seconds[0])
    return fps, seconds[0] - counts[0] / fps


def on_ray(root: Path, workers: int, model: str) -> Callable[[Path], object]:
    """Return the work of labeling frames on Ray, into a target that goes then."""

    def work(source: Path) -> object:
        label_images(source, out=root / "out", workers=workers, model=model, batch=BATCH)
        shutil.rmtree(root / "out")
        return None

    return work


def predicting(root: Path) -> Callable[[Path], object]:
    """Return the work of `predict` on frames, into a folder that goes then."""

    def work(source: Path) -> object:
        segmenter = Segmenter.load(DEFAULT_MODEL)
        outputs = Outputs(root / "predicted", ("labels",))
        predict_all(segmenter, find_sources([str(source)]), outputs)
        shutil.rmtree(root / "predicted")
        return None

    return work


def segment_for(seconds: float, start: Barrier, rates: "SimpleQueue[float]") -> None:
    """Segment a frame over and over with one thread; put the frames/s."""
    segmenter = Segmenter.load(SLOW_MODEL, threads=1)
    frame = render_clip(1, 1, SIZE_HW)[0].image
    segmenter(frame)
    start.wait()
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        segmenter(frame)
        count += 1
    rates.put(count / seconds)


def plain_fps(processes: int) -> float:
    """Return the frames/s of processes that do nothing but segment: what the machine gives."""
    spawn = get_context("spawn")
    start, rates = spawn.Barrier(processes), spawn.SimpleQueue()
    started = [
        spawn.Process(target=segment_for, args=(PLAIN_S, start, rates)) for _ in range(processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return sum(rates.get() for _ in started)


def measure_scaling(root: Path, given: argparse.Namespace) -> Measured:
    """Measure one worker and two, in turns, and as many plain processes; return medians."""
    plain = [[plain_fps(processes) for processes in (1, 2)] for _ in range(given.rounds)]
    alone, both = (statistics.median(column) for column in zip(*plain, strict=True))
    rounds = [
        [rate(on_ray(root, workers, SLOW_MODEL), root, given.frames)[0] for workers in (1, 2)]
        for _ in range(given.rounds)
    ]
    one, two = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "one_worker_fps": one,
        "two_workers_fps": two,
        "scaling": two / one,
        "rounds": rounds,
        "plain_processes_scaling": both / alone,
        "plain_processes_rounds": plain,
    }


def measure_overhead(root: Path, given: argparse.Namespace) -> Measured:
    """Measure Ray and `predict` in turns; return medians, and the stages of one worker."""
    ours, theirs = list[tuple[float, float]](), list[float]()
    for _ in range(given.rounds):
        ours.append(rate(on_ray(root, 2, DEFAULT_MODEL), root, given.frames))
        theirs.append(rate(predicting(root), root, given.frames)[0])
    fps, startup_s = (statistics.median(column) for column in zip(*ours, strict=True))
    predict_fps = statistics.median(theirs)
    frames = given.frames // 4
    alone = label_images(
        root / f"frames{frames}", out=root / "alone", workers=1, engine="local", batch=BATCH
    )
    work = alone.seconds
    return {
        "label_fps": fps,
        "predict_fps": predict_fps,
        "overhead": predict_fps / fps - 1,
        "ray_startup_s": startup_s,
        "stages_ms": {name: 1000 * spent / frames for name, spent in work.items()},
        "outside_share": 1 - work["segment"] / sum(work.values()),
    }


def job(root: Path, out: str, *more: object) -> tuple[object, ...]:
    return (root / "few", "--out", root / out, "--batch", SMALL_BATCH, *more)


def undisturbed(root: Path) -> Mapping[str, bytes]:
    """Label some frames without Ray; return the results."""
    if not (root / "few").exists():
        write_frames(root / "few", PIECES * SMALL_BATCH)
        done = label(root, *job(root, "undisturbed", "--engine", "local"))
        assert done.returncode == 0, done.stderr
    return results_in(root / "undisturbed")


def disturbed_run(root: Path, victim: str, seed: int) -> tuple[bool, bool]:
    """Kill a worker or the command; return whether one was killed, and all is right at the end."""
    expected, out, rng, was_killed = (
        undisturbed(root),
        f"{victim}{seed}",
        random.Random(seed),
        False,
    )
    due = rng.randrange(PIECES)
    with labeling(root, *job(root, out)) as process:
        while process.poll() is None and not was_killed:
            time.sleep(rng.uniform(0.01, 0.3))
            if receipts_in(root / out) < due:
                continue
            if victim == "worker":
                was_killed = bool(kill_a_worker(process.pid, rng))
            else:
                process.send_signal(signal.SIGKILL)
                was_killed = True
        process.communicate()
    if victim == "command":
        label(root, *job(root, out))
    is_right = results_in(root / out) == expected and receipts_in(root / out) == PIECES
    shutil.rmtree(root / out)
    return was_killed, is_right


def measure_kills(victim: str, root: Path, count: int) -> Measured:
    """Count the runs in which something was killed, and those that end right."""
    runs = [disturbed_run(root, victim, seed) for seed in range(count)]
    killed, right = (sum(column) for column in zip(*runs, strict=True))
    return {"runs": count, "killed": killed, "right": right}


def measure_nodes(root: Path, given: argparse.Namespace) -> Measured:
    """Label on two nodes, and on two of which one goes in the middle."""
    expected = undisturbed(root)
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with two_nodes() as (address, second):
        label(root, *job(root, "both", "--address", address))
        with labeling(root, *job(root, "lost", "--address", address)) as process:
            while process.poll() is None and receipts_in(root / "lost") < PIECES // 3:
                time.sleep(0.02)
            before = receipts_in(root / "lost")
            stop_node(second)
            process.communicate()
    del os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"]
    return {
        "both_right": results_in(root / "both") == expected,
        "pieces": PIECES,
        "pieces_before_the_stop": before,
        "one_stopped_right": results_in(root / "lost") == expected,
    }


def measure_store(root: Path, given: argparse.Namespace) -> Measured:
    """Label from a troubled object store into it."""
    expected = {name: data for name, data in undisturbed(root).items() if "labels/" in name}
    with object_store() as store:
        os.environ |= store.environment
        source, target = (RemotePlace(f"s3://{BUCKET}/{name}") for name in ("in", "out"))
        for path in (root / "few").iterdir():
            source.write(path.name, path.read_bytes())
        store.trouble = TROUBLE
        places = (source.address, "--out", target.address)
        done = label(root, *places, "--batch", SMALL_BATCH)
        store.trouble, troubled = 0.0, store.troubled
        found = {name: target.read(name) for name in target.files("labels")}
    return {
        "trouble_share": TROUBLE,
        "troubled_requests": troubled,
        "exit_code": done.returncode,
        "right": found == expected,
    }


def measure_many(root: Path, given: argparse.Namespace) -> Measured:
    """Label many small inputs with a tiny network; look at memory all the while."""
    source, model = write_small(root / "small", given.many), root / "tiny.onnx"
    write_shade_model(model, size_hw=(12, 16))
    shared_before = shutil.disk_usage("/dev/shm").used
    options = ("--model", model, "--out", root / "many", "--batch", 256)
    command, shared, begin = 0, 0, time.perf_counter()
    with labeling(root, source, *options) as process:
        while process.poll() is None:
            command = max(command, psutil.Process(process.pid).memory_info().rss)
            shared = max(shared, shutil.disk_usage("/dev/shm").used - shared_before)
            time.sleep(0.2)
    summary = json.loads((root / "many/summary.json").read_text("utf-8"))
    return {
        "inputs": given.many,
        "done": summary["done"],
        "command_mb": command / 1e6,
        "shared_memory_mb": shared / 1e6,
        "seconds": time.perf_counter() - begin,
    }


PARTS: dict[str, Callable[[Path, argparse.Namespace], Measured]] = {
    "scaling": measure_scaling,
    "overhead": measure_overhead,
    "worker": lambda root, given: measure_kills("worker", root, given.kills),
    "command": lambda root, given: measure_kills("command", root, given.restarts),
    "nodes": measure_nodes,
    "store": measure_store,
    "many": measure_many,
}
OF_SPEED = ("scaling", "overhead")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    os.environ.setdefault("RAY_worker_niceness", "0")  # else workers yield to all others
    parts: dict[str, Measured] = {}
    if given.out.exists():
        parts = json.loads(given.out.read_text("utf-8"))["parts"]
    for name in given.parts.split(","):
        with tempfile.TemporaryDirectory() as folder:
            machine = describe_machine()
            measured = PARTS[name](Path(folder), given)
        if name in OF_SPEED:
            measured["valid"] = machine.warning is None
        parts[name] = {**measured, "machine": machine.model_dump()}
        write_file(given.out, json.dumps({"goals": GOALS, "parts": parts}, indent=1) + "\n")
        print(name, json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()
