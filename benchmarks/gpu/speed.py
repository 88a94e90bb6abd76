"""Measure how fast one GPU labels frames, against eager float32 torch in the same run.

    PYTHONPATH=src python3 -m benchmarks.gpu.speed --out OUT --budget-seconds 300

From a frame on the device (uint8, height x width x 3) to labels on the device (uint8). Every
network runs eagerly and in several faster ways; compiled ways come last, as far as the budget goes.
Writes OUT/speed.json after every measurement: medians with and without the L2 cache emptied in
between, the share of labels that equal eager float32's, the best batch, and whether the marks are
met. Needs torch, Triton, torchvision, safetensors and what swiftseg's base install needs.
`--device cpu --tiny` tries all but the CUDA graphs in small, the kernels in Triton's interpreter.
"""

import argparse
import json
import os
import platform
import shlex
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from swiftseg.core import InputSpec
from swiftseg.core.files import replacing
from swiftseg.data import open_dataset

if TYPE_CHECKING:
    from benchmarks.gpu.speed_ways import Way

RESULT = "speed.json"
FLUSHED_BYTES = 256 << 20
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LEAST_RATIO = 4.0
BATCHES = (2, 4, 8, 16, 32, 64)
WORTHWHILE = 1.03  # what a larger batch must gain
COMPILING_S = {"default": 60.0, "max-autotune-no-cudagraphs": 120.0}


@dataclass(frozen=True)
class Case:
    """A network at a size.

    Attributes:
        network: Its name.
        size_hw: Of the frames.
        num_classes: Of its head.
        goal_ms: Of one frame, or None.
    """

    network: str
    size_hw: tuple[int, int]
    num_classes: int
    goal_ms: float | None = None

    @property
    def name(self) -> str:
        return f"{self.network} {self.size_hw[1]}x{self.size_hw[0]}"


CASES = (
    Case("enet", (360, 640), 19, 0.3),
    Case("fast_scnn", (1024, 2048), 19, 0.5),
    Case("enet", (1080, 1920), 19),
    Case("segnet", (360, 640), 11),
    Case("shelfnet50", (512, 512), 21),
)
TINY_HW = 32, 48
GOAL_FPS = 4000.0


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("speed"), help="folder of results")
    parser.add_argument("--family", type=Path, help="folder that train_family.py wrote")
    parser.add_argument("--budget-seconds", type=float, default=300.0)
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--repeats", type=int, default=100, help="of each measurement")
    parser.add_argument("--only", help="networks, comma-separated [all]")
    parser.add_argument("--tiny", action="store_true", help="frames of 32x48, two repeats")
    return parser.parse_args(arguments)


class Speed:
    """All measurements under one budget.

    Args:
        given: The options.
        started: `time.monotonic()` at the process's start.
    """

    def __init__(self, given: argparse.Namespace, started: float) -> None:
        self.given, self.started = given, started
        self.device = torch.device(given.device)
        self.repeats = 2 if given.tiny else given.repeats
        self.contraction, self.unlike_torch = asked_contraction(self.device)
        self.cases: list[dict[str, Any]] = []
        self.scratch = torch.empty(
            FLUSHED_BYTES if self.device.type == "cuda" else 0,
            dtype=torch.uint8,
            device=self.device,
        )

    def seconds_left(self) -> float:
        return self.given.budget_seconds - (time.monotonic() - self.started)

    def begin(self, case: Case) -> "CaseRun":
        """Build a case's network and measure it eagerly, then in the quick ways."""
        from benchmarks.gpu.speed_ways import EAGER, QUICK_WAYS

        run = CaseRun(self, case)
        self.cases.append(run.facts)
        run.measure(EAGER)
        for way in QUICK_WAYS:
            if not way.depthwise_kernel or case.network == "fast_scnn":
                run.measure(way)
        return run

    def write(self, state: str) -> None:
        cuda = self.device.type == "cuda"
        facts = {
            "command": shlex.join(["python3", "-m", "benchmarks.gpu.speed", *sys.argv[1:]]),
            "state": state,
            "device": torch.cuda.get_device_name(self.device) if cuda else "cpu",
            "python": platform.python_version(),
            "torch": torch.__version__,
            "tiny": self.given.tiny,
            "cudnn_tf32": torch.backends.cudnn.allow_tf32,
            "seconds": round(time.monotonic() - self.started, 1),
            "scope": "frame on the device to labels on the device",
            "repeats": self.repeats,
            "label_kernel": {
                "contraction": self.contraction,
                "labels_unlike_torchs": self.unlike_torch,
            },
            "cases": self.cases,
            "marks": marks(self.cases),
        }
        with replacing(self.given.out / RESULT) as path:
            path.write_text(json.dumps(facts, indent=1), "utf-8")


class CaseRun:
    """One network at one size.

    Args:
        speed: Whose results these are.
        case: What to measure.
    """

    def __init__(self, speed: Speed, case: Case) -> None:
        from benchmarks.gpu.inference_networks import build

        self.speed, self.case = speed, case
        size_hw = TINY_HW if speed.given.tiny else case.size_hw
        network, origin = build(case.network, case.num_classes, speed.given.family)
        self.network: nn.Module = network
        mean, std = ((0.0,) * 3, (1.0,) * 3) if case.network == "enet" else IMAGENET
        self.spec = InputSpec(size_hw, mean, std)
        self.frames = toy_frames(size_hw, speed.device)
        self.expected = torch.empty(0)
        self.facts: dict[str, Any] = {
            "case": case.name,
            "network": case.network,
            "size_hw": list(size_hw),
            "num_classes": case.num_classes,
            "weights": origin,
            "goal_ms": case.goal_ms,
            "ways": [],
            "batches": [],
        }

    def measure(self, way: "Way") -> None:
        """Measure one frame in a way; what fails is noted, and costs itself alone."""
        row: dict[str, Any] = {"way": way.name}
        began = time.monotonic()
        try:
            row |= self.measured(way)
        except Exception as error:
            traceback.print_exc()
            row["failed"] = first_line(error)
        row["prepared_and_measured_s"] = round(time.monotonic() - began, 1)
        self.facts["ways"].append(row)
        found = row.get("median_ms", row.get("failed"))
        print(f"{self.case.name:22} {way.name:40} {found}", flush=True)
        self.speed.write("running")

    @torch.inference_mode()
    def measured(self, way: "Way") -> dict[str, Any]:
        from benchmarks.gpu.speed_ways import labeler

        run = labeler(
            self.network,
            self.case.network,
            self.spec,
            way,
            self.frames[:1],
            contraction=self.speed.contraction,
        )
        labels = torch.cat([run(frame[None]).clone() for frame in self.frames])
        if way.name == "eager f32":
            self.expected = labels
        equal = float((labels == self.expected).double().mean())
        own_frame = getattr(run, "frames", self.frames[:1])
        speed = self.speed
        times_ms = measure_ms(lambda: run(own_frame), speed.device, speed.repeats, None)
        cold_ms = measure_ms(lambda: run(own_frame), speed.device, speed.repeats, speed.scratch)
        return {
            "median_ms": round(statistics.median(times_ms), 4),
            "best_ms": round(min(times_ms), 4),
            "median_ms_cold_l2": round(statistics.median(cold_ms), 4),
            "labels_equal_to_eager": round(equal, 6),
        }

    def measure_batches(self) -> None:
        """Find the batch that labels the most frames a second, in the best quick way."""
        from benchmarks.gpu.speed_ways import QUICK_WAYS

        timed = {row["way"]: row["median_ms"] for row in self.facts["ways"] if "median_ms" in row}
        quick = [way for way in QUICK_WAYS if way.name in timed]
        if not quick:
            return
        way = min(quick, key=lambda quick_way: timed[quick_way.name])
        best_fps = 1000 / timed[way.name]
        self.facts["batches"].append({"way": way.name, "batch": 1, "fps": round(best_fps, 1)})
        for batch in BATCHES[:1] if self.speed.given.tiny else BATCHES:
            if self.speed.seconds_left() < 5:
                return
            try:
                fps = self.batch_fps(way, batch)
            except Exception as error:  # out of memory among them
                self.facts["batches"].append({"batch": batch, "failed": first_line(error)})
                return
            self.facts["batches"].append({"way": way.name, "batch": batch, "fps": round(fps, 1)})
            self.speed.write("running")
            if fps < WORTHWHILE * best_fps:
                return
            best_fps = fps

    @torch.inference_mode()
    def batch_fps(self, way: "Way", batch: int) -> float:
        from benchmarks.gpu.speed_ways import labeler

        frames = self.frames[torch.arange(batch, device=self.frames.device) % len(self.frames)]
        run = labeler(
            self.network,
            self.case.network,
            self.spec,
            way,
            frames,
            contraction=self.speed.contraction,
        )
        own_frames = getattr(run, "frames", frames)
        repeats = max(2, self.speed.repeats // 4)
        times_ms = measure_ms(lambda: run(own_frames), self.speed.device, repeats, None)
        return 1000 * batch / statistics.median(times_ms)


def asked_contraction(device: torch.device) -> tuple[int, int | str]:
    """Return how torch rounds and how many labels differ, or why the kernel does not run."""
    from benchmarks.gpu.label_kernel import find_contraction

    try:
        return find_contraction(device)
    except Exception as error:  # ways without kernels are measured all the same
        traceback.print_exc()
        return 0, first_line(error)


def first_line(error: Exception) -> str:
    reason = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {reason}"


def measure_ms(
    run: Callable[[], object], device: torch.device, repeats: int, scratch: Tensor | None
) -> list[float]:
    """Time a function on the device; `scratch` is written in between to empty the L2 cache."""
    for _ in range(max(1, repeats // 10)):
        run()
    if device.type != "cuda":
        times: list[float] = []
        for _ in range(repeats):
            started = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - started))
        return times
    pairs = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
        for _ in range(repeats)
    ]
    for start, end in pairs:
        if scratch is not None:
            scratch.zero_()
        start.record()
        run()
        end.record()
    torch.cuda.synchronize(device)
    return [start.elapsed_time(end) for start, end in pairs]


@cache
def rendered_scenes() -> list[Image.Image]:
    scenes = open_dataset("toystreet", "val")
    return [Image.fromarray(scenes[index].image) for index in range(2)]


def toy_frames(size_hw: tuple[int, int], device: torch.device) -> Tensor:
    """Render two street scenes at a size, uint8 (2, H, W, 3)."""
    size_wh = size_hw[1], size_hw[0]
    resized = [scene.resize(size_wh) for scene in rendered_scenes()]
    return torch.from_numpy(np.stack([np.asarray(image) for image in resized])).to(device)


def marks(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each case how many times eager its best way is, and which goals are met."""
    found: list[dict[str, Any]] = []
    for case in cases:
        timed = [row for row in case["ways"] if "median_ms" in row]
        eager = [row for row in timed if row["way"] == "eager f32"]
        if not eager:
            continue
        best = min(timed, key=lambda row: row["median_ms"])
        ratio = eager[0]["median_ms"] / best["median_ms"]
        fps = max((row["fps"] for row in case["batches"] if "fps" in row), default=None)
        found.append(
            {
                "case": case["case"],
                "best_way": best["way"],
                "median_ms": best["median_ms"],
                "times_eager": round(ratio, 2),
                "times_eager_met": ratio >= LEAST_RATIO,
                "goal_ms_met": case["goal_ms"] and best["median_ms"] <= case["goal_ms"],
                "best_fps": fps,
                "goal_fps_met": fps is not None and fps >= GOAL_FPS,
            }
        )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the quick ways of all cases, their batches, and what compiles in time."""
    started = time.monotonic()
    given = read_options(arguments)
    if given.device == "cpu":
        os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported
    from benchmarks.gpu.captured_step import pooling_on_device
    from benchmarks.gpu.speed_ways import COMPILED, TUNED

    torch.backends.cudnn.benchmark = True
    chosen = [c for c in CASES if given.only is None or c.network in given.only.split(",")]
    with pooling_on_device():
        speed = Speed(given, started)
        runs = [speed.begin(case) for case in chosen]
        for run in runs:
            run.measure_batches()
        for way in () if given.device == "cpu" else (COMPILED, TUNED):
            for run in runs:
                if speed.seconds_left() > COMPILING_S[str(way.mode)]:
                    run.measure(way)
    speed.write("done")
    for mark in marks(speed.cases):
        print(json.dumps(mark), flush=True)


if __name__ == "__main__":
    main()
