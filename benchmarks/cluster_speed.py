"""How fast labeling on Ray is, and who takes the cores' time: parts of `cluster.py`."""

import shutil
import statistics
import tempfile
import threading
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from swiftseg import label_images
from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.predict_all import predict_all
from swiftseg.prediction.sources import find_sources
from swiftseg.weights import DEFAULT_MODEL

SIZE_HW = (360, 480)
DRAWN = 60  # frames that are drawn; more are copies of them
BATCH = 64  # as the command has it
LIGHT, LIGHT_BATCH = "enet-camvid", 32  # pieces of about a second: the last ones end together
HEAVY, HEAVY_FRAMES, HEAVY_BATCH = "segnet", 160, 2  # the network and size of its paper
PLAIN_S = 20.0
LOOK_S = 2.0  # looking takes 20 ms of a core

# Ray names a process by what it does; all the others that it starts are its own.
ROLES = {
    "ray::MapWorker": "engines",
    "ray::Map(": "reading and writing",
    "ray::IDLE": "reading and writing",  # between two tasks
}

Measured = dict[str, Any]


@dataclass
class Rate:
    """How fast some work is once it runs.

    Attributes:
        startup_s: Until then.
        core_ms: Of the cores' time, by who takes it; of a frame.
    """

    fps: float
    startup_s: float
    core_ms: dict[str, float]


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


def rate(work: Callable[[Path], object], root: Path, frames: int) -> Rate:
    """Return how fast some work is: the further frames of a long run by its further time.

    Args:
        work: Labels a folder of frames.
        root: Where the frames are drawn.
        frames: How many the longer run has; the other one has a quarter. Where workers take whole
            pieces, both should be equal shares of these: else one worker waits for the other.
    """
    counts, seconds, core_s = (frames // 4, frames), list[float](), list[Counter[str]]()
    for count in counts:
        source = root / f"frames{count}"
        if not source.exists():
            write_frames(source, count)
        with core_seconds() as taken:
            begin = time.perf_counter()
            work(source)
            seconds.append(time.perf_counter() - begin)
        core_s.append(taken)
    further = counts[1] - counts[0]
    fps = further / (seconds[1] - seconds[0])
    core_ms = {name: 1000 * (core_s[1][name] - core_s[0][name]) / further for name in core_s[1]}
    return Rate(fps, seconds[0] - counts[0] / fps, core_ms)


@contextmanager
def core_seconds() -> Generator[Counter[str]]:
    """Add up by role the cores' time that this process and those below it take in the block."""
    taken, over = Counter[str](), threading.Event()
    me = psutil.Process()
    seen = {me.pid: _core_s(me)}

    def look() -> None:
        while not over.wait(LOOK_S):
            for process in [me, *me.children(recursive=True)]:
                try:
                    role, spent = role_of(process, me.pid), _core_s(process)
                except (psutil.Error, IndexError):  # it has ended
                    continue
                taken[role] += spent - seen.get(process.pid, 0.0)
                seen[process.pid] = spent

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield taken
    finally:
        over.set()
        looking.join()


def role_of(process: psutil.Process, command: int) -> str:
    if process.pid == command:
        return "command"
    title = process.cmdline()[0]
    return next((role for start, role in ROLES.items() if title.startswith(start)), "Ray")


def _core_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def on_ray(root: Path, workers: int, model: str, batch: int = BATCH) -> Callable[[Path], object]:
    """Return the work of labeling frames on Ray, into a target that goes then."""

    def work(source: Path) -> object:
        label_images(source, out=root / "out", workers=workers, model=model, batch=batch)
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


def segment_for(seconds: float, model: str, start: Barrier, rates: "SimpleQueue[float]") -> None:
    """Segment a frame over and over with one thread; put the frames/s."""
    segmenter = Segmenter.load(model, threads=1)
    frame = render_clip(1, 1, SIZE_HW)[0].image
    segmenter(frame)
    start.wait()
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        segmenter(frame)
        count += 1
    rates.put(count / (time.perf_counter() - begin))


def plain_fps(processes: int, model: str) -> float:
    """Return the frames/s of processes that do nothing but segment: what the machine gives."""
    spawn = get_context("spawn")
    start, rates = spawn.Barrier(processes), spawn.SimpleQueue()
    given = (PLAIN_S, model, start, rates)
    started = [spawn.Process(target=segment_for, args=given) for _ in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return sum(rates.get() for _ in started)


def measure_scaling(root: Path, given: Namespace) -> Measured:
    """Measure a light network, beside which Ray, reading and writing have a share of a core."""
    return scaling(root, LIGHT, given.frames, LIGHT_BATCH, given.rounds)


def measure_heavy(root: Path, given: Namespace) -> Measured:
    """Measure a network beside which nothing else counts."""
    model = str(write_heavy(root / f"{HEAVY}.onnx"))
    return {"network": HEAVY} | scaling(root, model, HEAVY_FRAMES, HEAVY_BATCH, given.rounds)


def scaling(root: Path, model: str, frames: int, batch: int, rounds: int) -> Measured:
    """Measure one worker and two, in turns, and as many plain processes; return medians."""
    plain = [[plain_fps(processes, model) for processes in (1, 2)] for _ in range(rounds)]
    alone, both = (statistics.median(column) for column in zip(*plain, strict=True))
    turns = [
        [rate(on_ray(root, workers, model, batch), root, frames) for workers in (1, 2)]
        for _ in range(rounds)
    ]
    fps = [[found.fps for found in turn] for turn in turns]
    one, two = (statistics.median(column) for column in zip(*fps, strict=True))
    return {
        "one_worker_fps": one,
        "two_workers_fps": two,
        "scaling": two / one,
        "rounds": fps,
        "core_ms_a_frame": turns[-1][1].core_ms,
        "plain_processes_scaling": both / alone,
        "plain_processes_rounds": plain,
    }


def write_heavy(path: Path) -> Path:
    """Write the heavy network, which has learned drawn scenes for some steps."""
    from board_formats import learned

    from swiftseg.exporting.onnx_file import write_onnx

    network, spec = learned(HEAVY, None)
    write_onnx(network, replace(spec, input=replace(spec.input, size_hw=SIZE_HW)), path)
    return path


def measure_overhead(root: Path, given: Namespace) -> Measured:
    """Measure Ray and `predict` in turns; return medians, and the stages of one worker."""
    ours, theirs = list[Rate](), list[float]()
    for _ in range(given.rounds):
        ours.append(rate(on_ray(root, 2, DEFAULT_MODEL), root, given.frames))
        theirs.append(rate(predicting(root), root, given.frames).fps)
    fps = statistics.median(found.fps for found in ours)
    predict_fps = statistics.median(theirs)
    frames = given.frames // 4
    with tempfile.TemporaryDirectory() as folder:
        alone = label_images(
            root / f"frames{frames}", out=folder, workers=1, engine="local", batch=BATCH
        )
    work = alone.seconds
    return {
        "label_fps": fps,
        "predict_fps": predict_fps,
        "overhead": predict_fps / fps - 1,
        "ray_startup_s": statistics.median(found.startup_s for found in ours),
        "stages_ms": {name: 1000 * spent / frames for name, spent in work.items()},
        "outside_share": 1 - work["segment"] / sum(work.values()),
    }
