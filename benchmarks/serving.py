"""What the server costs: throughput beside the same work in one process, and its tail of latencies.

    python benchmarks/serving.py [--seconds S] [--images DIR]

JPEGs of 480x360 in, label maps as PNG out. Throughput: as many requests as keep all workers busy;
goal 85 % of what threads reach without HTTP. Tail: p99 at 80 % of that rate; goal three times the
median of a lone request. Beside it the same for LitServe and for FastAPI with a lock. The client
runs on the same cores, and its time is the server's loss. `server_soak.py` overloads the server.

Writes results/serving.json.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from load_client import Connection, closed_loop, open_loop, request_bytes
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.data.images.header import IMAGE_SUFFIXES
from swiftseg.data.images.image_file import read_image
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.runtimes.cores import physical_cores
from swiftseg.server.answers import Wanted, answer_picture
from swiftseg.server.limits import Limits
from swiftseg.weights import DEFAULT_MODEL

RESULT = Path(__file__).parent / "results/serving.json"
JSON = "application/json"
SIZE_HW = (360, 480)
PICTURES = 20
GOALS = {"throughput_share": 0.85, "p99_to_lone": 3.0}


def pictures(folder: Path | None, size_hw: tuple[int, int] = SIZE_HW) -> list[bytes]:
    """Makes JPEGs of one size, of a folder's images or of drawn streets."""
    if folder is None:
        images = [frame.image for frame in render_clip(0, PICTURES, size_hw)]
    else:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        images = [read_image(path) for path in files[:PICTURES]]
    encoded: list[bytes] = []
    for image in images:
        file = io.BytesIO()
        picture = Image.fromarray(image).resize(size_hw[::-1], Image.Resampling.BILINEAR)
        picture.save(file, format="JPEG", quality=90)
        encoded.append(file.getvalue())
    return encoded


def in_process(model: str, bodies: Sequence[bytes], seconds: float) -> float:
    """Return frames a second of threads that decode, segment and encode, without HTTP."""
    segmenter = Segmenter.load(model, threads=1)
    wanted, limits = Wanted("labels"), Limits()
    begin = perf_counter()

    def work(number: int) -> int:
        done = 0
        while perf_counter() - begin < seconds:
            answer_picture(
                segmenter, bodies[(number + done) % len(bodies)], "picture", wanted, limits
            )
            done += 1
        return done

    workers = physical_cores()
    with ThreadPoolExecutor(workers) as pool:
        done = sum(pool.map(work, range(workers)))
    return done / (perf_counter() - begin)


def in_batches(model: str, size: int, seconds: float) -> float:
    """Return frames a second of the engine alone on all cores, so many frames at a time."""
    from swiftseg.inference import find_model
    from swiftseg.runtimes import labels_of, load_backend

    backend = load_backend(find_model(model).path)
    height, width = backend.spec.input.size_hw
    batch = np.zeros((size, height, width, 3), dtype=np.uint8)
    labels_of(backend, batch)
    begin, done = perf_counter(), 0
    while perf_counter() - begin < seconds:
        labels_of(backend, batch)
        done += size
    return done / (perf_counter() - begin)


@contextmanager
def running(command: Callable[[int], list[str]], request: bytes) -> Iterator[tuple[int, int]]:
    """Starts a server; yields its port and process once it answers a picture."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        while asyncio.run(_status(port, request)) != 200:
            if process.poll() is not None:
                raise SystemExit(f"{command(port)} ended before it answered")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):  # LitServe's workers outlive it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _status(port: int, request: bytes) -> int:
    connection = Connection(port)
    status, _ = await connection.ask(request)
    connection.close()
    return status


def measure(port: int, requests: Sequence[bytes], seconds: float) -> dict[str, Any]:
    """Measures a lone client, the throughput, and the tail at 80 % of it."""
    busy = 2 * physical_cores()
    asyncio.run(closed_loop(port, requests, connections=busy, seconds=min(2.0, seconds)))
    lone = asyncio.run(closed_loop(port, requests, connections=1, seconds=seconds))
    full = asyncio.run(closed_loop(port, requests, connections=busy, seconds=seconds))
    rate = 0.8 * full.per_second()
    count = max(20, round(rate * seconds))
    tail = asyncio.run(open_loop(port, requests, rate=rate, count=count, connections=64))
    p99 = float(np.percentile(tail.latencies_ms, 99))
    median = float(np.median(lone.latencies_ms))
    return {
        "lone_median_ms": median,
        "frames_per_second": full.per_second(),
        "p99_ms_at_80_percent": p99,
        "p99_to_lone": p99 / median,
        "statuses": {str(s): n for s, n in sorted((full.statuses + tail.statuses).items())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--seconds", type=float, default=20.0, help="Of each measurement.")
    parser.add_argument("--images", type=Path, help="A folder of images [drawn streets].")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    machine = describe_machine()
    bodies = pictures(options.images)
    requests = [request_bytes(body) for body in bodies]
    as_json = [
        request_bytes(json.dumps({"picture": base64.b64encode(body).decode()}).encode(), JSON)
        for body in bodies
    ]

    def swiftseg(port: int) -> list[str]:
        return [sys.executable, "-m", "swiftseg", "serve", options.model, "--port", str(port)]

    def script(name: str) -> Callable[[int], list[str]]:
        file = str(Path(__file__).with_name(name))
        return lambda port: [sys.executable, file, options.model, str(port)]

    servers = {
        "swiftseg": (swiftseg, requests),
        "litserve": (script("serving_litserve.py"), as_json),
        "fastapi with a lock": (script("serving_locked.py"), requests),
    }
    results: dict[str, Any] = {"in_process_fps": in_process(options.model, bodies, options.seconds)}
    for name, (command, asked) in servers.items():
        with running(command, asked[0]) as (port, _):
            results[name] = measure(port, asked, options.seconds)
    results["throughput_share"] = (
        results["swiftseg"]["frames_per_second"] / (results["in_process_fps"])
    )
    results["engine_fps_by_batch"] = {
        str(size): in_batches(options.model, size, options.seconds / 2) for size in (1, 2, 4)
    }
    written = {
        "command": f"python benchmarks/serving.py --seconds {options.seconds:g}",
        "model": options.model,
        "seconds": options.seconds,
        "goals": GOALS,
        "machine": machine.model_dump(),
        "results": results,
    }
    options.out.write_text(json.dumps(written, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
