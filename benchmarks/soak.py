"""A soak: the same work again and again, and memory, threads and open files that must not grow.

    python benchmarks/soak.py                 the whole of it, some hours on a machine that is free
    python benchmarks/soak.py --share 0.001   a thousandth of it, a minute

Each part warms up by a tenth of its rounds; what it holds then and at its end is written to
benchmarks/results/soak.json. One segmenter is shared by 8 threads on every engine, and labels are
compared with those of one thread.
"""

import argparse
import gc
import json
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.inference.video_writer import writing_video
from swiftseg.prediction.predict_all import predict_images, predict_video
from swiftseg.runtimes import BACKENDS

RESULT = Path(__file__).parent / "results" / "soak.json"
MODEL = "enet-toystreet"
FRAMES, RUNS_A_THREAD, LOADS, VIDEO_SECONDS, FPS = 100_000, 10_000, 1000, 3600, 25
THREADS, PICTURES = 8, 20

Held = dict[str, float]


def held() -> Held:
    """Return what this process holds."""
    gc.collect()
    process = psutil.Process()
    return {
        "mb": round(process.memory_info().rss / 2**20, 1),
        "threads": process.num_threads(),
        "files": process.num_fds(),
    }


def soak(work: Callable[[], None], rounds: int) -> dict[str, object]:
    """Do some work again and again; return what is held after a tenth and at the end."""
    begin, warm_rounds = time.monotonic(), max(1, rounds // 10)
    for _ in range(warm_rounds):
        work()
    warm = held()
    for _ in range(rounds - warm_rounds):
        work()
    return {
        "rounds": rounds,
        "seconds": round(time.monotonic() - begin, 1),
        "warm": warm,
        "end": held(),
    }


def soak_predict(folder: Path, share: float) -> dict[str, object]:
    """Predict on folders of pictures, overlays and label maps written."""
    segmenter, pictures = Segmenter.load(MODEL), folder / "pictures"
    pictures.mkdir()
    scenes = ToyStreet("test", PICTURES, segmenter.spec.input.size_hw)
    for index, sample in enumerate(scenes):
        Image.fromarray(sample.image).save(pictures / f"{index}.png")

    def work() -> None:
        run = predict_images(pictures, model=segmenter, out=folder / "out")
        assert len(run.predictions) == PICTURES, run.errors

    return soak(work, max(2, round(share * FRAMES / PICTURES)))


def soak_threads(backend: str, share: float) -> dict[str, object]:
    """Share a segmenter between threads; every label map must be the one of its frame."""
    segmenter = Segmenter.load(MODEL, backend=backend, threads=1)
    scenes = ToyStreet("test", THREADS, segmenter.spec.input.size_hw)
    frames = [sample.image for sample in scenes]
    expected = [segmenter(frame).label_map for frame in frames]
    together = threading.Barrier(THREADS)

    def work_of(index: int) -> int:
        together.wait()
        found = segmenter(frames[index]).label_map
        return int((found != expected[index]).sum())

    with ThreadPoolExecutor(THREADS) as pool:
        wrong = 0

        def work() -> None:
            nonlocal wrong
            wrong += sum(pool.map(work_of, range(THREADS)))

        report = soak(work, max(2, round(share * RUNS_A_THREAD)))
    return {**report, "wrong_pixels": wrong}


def soak_loads(backend: str, share: float) -> dict[str, object]:
    """Load a model, run one frame and let it go."""
    size_hw = Segmenter.load(MODEL).spec.input.size_hw
    frame = np.zeros((*size_hw, 3), np.uint8)

    def work() -> None:
        Segmenter.load(MODEL, backend=backend)(frame)

    return soak(work, max(2, round(share * LOADS)))


def soak_video(folder: Path, share: float) -> dict[str, object]:
    """Label an hour of video, a minute at a time."""
    segmenter, path = Segmenter.load(MODEL), folder / "minute.mp4"
    seconds = max(4, round(60 * min(1, share * 10)))
    scenes = list(ToyStreet("test", PICTURES, segmenter.spec.input.size_hw))
    with writing_video(path, fps=Fraction(FPS)) as writer:
        for index in range(seconds * FPS):
            writer.write(scenes[index % PICTURES].image, index / FPS)

    def work() -> None:
        prediction = predict_video(path, model=segmenter, out=folder / "video", save=("overlay",))
        assert prediction.num_frames == seconds * FPS

    return soak(work, max(2, round(share * VIDEO_SECONDS / seconds)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="how much of the whole is done")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    share, parts = options.share, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts["predict"] = soak_predict(folder, share)
        for backend in BACKENDS:
            parts[f"8 threads, {backend}"] = soak_threads(backend, share)
            parts[f"loads, {backend}"] = soak_loads(backend, share)
        parts["video"] = soak_video(folder, share)
    report = {"share": share, "machine": describe_machine().model_dump(), "parts": parts}
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for part, found in parts.items():
        print(f"{part}: {found}")


if __name__ == "__main__":
    main()
