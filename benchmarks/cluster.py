"""What does labeling on Ray cost, and what survives? The table of labeling's goals.

    python benchmarks/cluster.py                          all of it, some 30 minutes on two cores
    python benchmarks/cluster.py --parts worker,command   some of its parts; the others stay

Draws street frames, labels them with shipped networks, and writes results/cluster.json by parts:

- scaling: frames/s of two workers with one thread each against one, with ENet, and who takes the
  cores' time;
- heavy: the same with SegNet, which takes nearly all of it;
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
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import psutil
from cluster_speed import (
    Measured,
    measure_heavy,
    measure_overhead,
    measure_scaling,
    write_frames,
)
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.files import write_file
from swiftseg.labeling.place import RemotePlace

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
ROUNDS = 3
PIECES, SMALL_BATCH = 24, 4  # of the jobs that are disturbed
TROUBLE = 0.25  # the share of a store's requests that go wrong
GOALS = {"scaling": 1.8, "outside_share": 0.25, "overhead": 0.15}


def write_small(folder: Path, count: int) -> Path:
    """Write tiny pictures, a thousand in a folder."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for index in range(count):
        path = folder / f"{index // 1000:04d}" / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(pixels, index, axis=1)).save(path)
    return folder


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
    "heavy": measure_heavy,
    "overhead": measure_overhead,
    "worker": lambda root, given: measure_kills("worker", root, given.kills),
    "command": lambda root, given: measure_kills("command", root, given.restarts),
    "nodes": measure_nodes,
    "store": measure_store,
    "many": measure_many,
}
OF_SPEED = ("scaling", "heavy", "overhead")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--frames", type=int, default=2048)
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
