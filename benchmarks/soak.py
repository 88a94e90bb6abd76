"""A soak: the same work again and again, and memory, threads and open files that must not grow.

    python benchmarks/soak.py                  all of it, an hour or two on a machine that is free
    python benchmarks/soak.py --share 0.001    a thousandth of it, a minute
    python benchmarks/soak.py predict video    only the parts that begin so; others stay

Each part is a process of its own. After each tenth of its rounds it writes what it holds to
benchmarks/results/soak.json: a part that is cut short keeps the tenths that it has done. Frames are
small, since what leaks does so by the call and not by the pixel. One segmenter is shared by 8
threads on every engine, and labels are compared with those of one thread.
"""

import argparse
import gc
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.core.fresh_process import run_in_process
from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.inference.video_writer import writing_video
from swiftseg.prediction.predict_all import predict_images, predict_video
from swiftseg.runtimes import BACKENDS

RESULT = Path(__file__).parent / "results" / "soak.json"
MODEL, SIZE_HW = "enet-toystreet", (48, 64)
FRAMES, RUNS_A_THREAD, LOADS, VIDEO_SECONDS, FPS = 100_000, 10_000, 1000, 3600, 25
THREADS, PICTURES, TENTHS = 8, 20, 10

Report = dict[str, Any]


def held() -> dict[str, float]:
    """Return what this process holds."""
    gc.collect()
    process = psutil.Process()
    return {
        "mb": round(process.memory_info().rss / 2**20, 1),
        "threads": process.num_threads(),
        "files": process.num_fds(),
    }


def soak(work: Callable[[], None], rounds: int) -> Iterator[Report]:
    """Do some work again and again; yield what is held after each tenth."""
    begin, tenths = time.monotonic(), list[dict[str, float]]()
    for tenth in range(TENTHS):
        for _ in range(rounds * tenth // TENTHS, rounds * (tenth + 1) // TENTHS):
            work()
        tenths.append(held())
        yield {
            "tenths": tenth + 1,
            "rounds": rounds * (tenth + 1) // TENTHS,
            "seconds": round(time.monotonic() - begin, 1),
            "warm": tenths[0],
            "end": tenths[-1],
            "mb_by_tenth": [found["mb"] for found in tenths],
        }


def soak_predict(folder: Path, share: float) -> Iterator[Report]:
    """Predict on folders of pictures, overlays and label maps written."""
    segmenter, pictures = Segmenter.load(folder / "model.onnx"), folder / "pictures"
    pictures.mkdir()
    for index, sample in enumerate(ToyStreet("test", PICTURES, SIZE_HW)):
        Image.fromarray(sample.image).save(pictures / f"{index}.png")

    def work() -> None:
        run = predict_images(pictures, model=segmenter, out=folder / "out")
        assert len(run.predictions) == PICTURES, run.errors

    yield from soak(work, max(TENTHS, round(share * FRAMES / PICTURES)))


def soak_threads(folder: Path, share: float, backend: str) -> Iterator[Report]:
    """Share a segmenter between threads; every label map must be the one of its frame."""
    segmenter = Segmenter.load(folder / "model.onnx", backend=backend, threads=1)
    frames = [sample.image for sample in ToyStreet("test", THREADS, SIZE_HW)]
    expected = [segmenter(frame).label_map for frame in frames]
    together = threading.Barrier(THREADS)
    wrong = 0

    def work_of(index: int) -> int:
        together.wait()
        found = segmenter(frames[index]).label_map
        return int((found != expected[index]).sum())

    with ThreadPoolExecutor(THREADS) as pool:

        def work() -> None:
            nonlocal wrong
            wrong += sum(pool.map(work_of, range(THREADS)))

        for report in soak(work, max(TENTHS, round(share * RUNS_A_THREAD))):
            yield {**report, "wrong_pixels": wrong}


def soak_loads(folder: Path, share: float, backend: str) -> Iterator[Report]:
    """Load a model, run one frame and let it go."""
    frame = np.zeros((*SIZE_HW, 3), np.uint8)

    def work() -> None:
        Segmenter.load(folder / "model.onnx", backend=backend)(frame)

    yield from soak(work, max(TENTHS, round(share * LOADS)))


def soak_video(folder: Path, share: float) -> Iterator[Report]:
    """Label an hour of video, a minute at a time."""
    segmenter, path = Segmenter.load(folder / "model.onnx"), folder / "minute.mp4"
    seconds = max(4, round(60 * min(1, share * 10)))
    scenes = list(ToyStreet("test", PICTURES, SIZE_HW))
    with writing_video(path, fps=Fraction(FPS)) as writer:
        for index in range(seconds * FPS):
            writer.write(scenes[index % PICTURES].image, index / FPS)

    def work() -> None:
        prediction = predict_video(path, model=segmenter, out=folder / "video", save=("overlay",))
        assert prediction.num_frames == seconds * FPS

    yield from soak(work, max(TENTHS, round(share * VIDEO_SECONDS / seconds)))


PARTS: dict[str, Callable[[Path, float], Iterator[Report]]] = {
    **{f"8 threads, {name}": partial(soak_threads, backend=name) for name in BACKENDS},
    **{f"loads, {name}": partial(soak_loads, backend=name) for name in BACKENDS},
    "predict": soak_predict,
    "video": soak_video,
}


def run_part(part: str, folder: str, share: float, out: str) -> None:
    """Run one part, and write what it has found after each tenth."""
    for report in PARTS[part](Path(folder), share):
        path = Path(out)
        known: Report = json.loads(path.read_text("utf-8")) if path.exists() else {"parts": {}}
        known["machine"] = describe_machine().model_dump()
        known["parts"][part] = {"share": share, **report}
        path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def export_small(out: str) -> None:
    """Export the model for small frames, in a process whose torch nobody else holds."""
    from swiftseg.exporting import export

    export(MODEL, out, size_hw=SIZE_HW)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("beginnings", nargs="*", default=[""], help="of the parts to run")
    parser.add_argument("--share", type=float, default=1.0, help="how much of the whole is done")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    task = {"share": options.share, "out": str(options.out.absolute())}
    with tempfile.TemporaryDirectory() as folder:
        run_in_process(export_small, out=f"{folder}/model.onnx")
        for part in PARTS:
            if part.startswith(tuple(options.beginnings)):
                run_in_process(run_part, part=part, folder=folder, **task)
                print(f"{part}: {json.loads(options.out.read_text('utf-8'))['parts'][part]}")


if __name__ == "__main__":
    main()
