"""What the last upsampling and the argmax cost, at 1024x2048 from scores at an eighth.

    python benchmarks/upsample_argmax.py

Sets torch's `interpolate` and `argmax` beside the numpy path and beside the kernel in each of its
strategies and instruction sets, all in one process and in turns, and checks that every one gives
torch's labels. The trained scores are those of the shipped enet-toystreet on a drawn street,
brought to the size; for classes beyond those it has, they are its own once more, somewhat lower.
Writes results/upsample_argmax.json.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch.nn import functional as F

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference.planes import resize_planes
from swiftseg.kernels import native
from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.upsample_argmax import upsample_argmax
from swiftseg.kernels.upsample_argmax_numpy import label_image
from swiftseg.runtimes import load_backend
from swiftseg.runtimes.base import upsampled_of
from swiftseg.weights import shipped_models

RESULT = Path(__file__).parent / "results/upsample_argmax.json"
MODEL = "enet-toystreet"
STRIDE = 8
CLASS_COUNTS = (12, 19)
THREADS = (1, 2)
REFERENCE = "torch interpolate + argmax, 2 threads"

Size = tuple[int, int]
Way = Callable[[], np.ndarray]


def trained_scores(classes: int, size_hw: Size) -> np.ndarray:
    """Return float32 (1, classes, *size_hw) as sure of themselves as a trained network's."""
    backend = load_backend(shipped_models()[MODEL])
    frame = ToyStreet("test", 1, backend.spec.input.size_hw)[0].image
    logits = resize_planes(upsampled_of(backend, frame[None])[0], size_hw)
    more = logits[: classes - len(logits)] - np.float32(2)
    return np.ascontiguousarray(np.concatenate((logits, more))[None, :classes])


def random_scores(classes: int, size_hw: Size) -> np.ndarray:
    """Return noise, float32 (1, classes, *size_hw): no two pixels agree on a class."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((1, classes, *size_hw)).astype(np.float32)


def by_torch(scores: np.ndarray, size_hw: Size, threads: int) -> Way:
    tensor = torch.from_numpy(scores)

    def label() -> np.ndarray:
        torch.set_num_threads(threads)
        return F.interpolate(tensor, size=size_hw, mode="bilinear").argmax(dim=1).numpy()

    return label


def by_numpy(scores: np.ndarray, size_hw: Size) -> Way:
    def label() -> np.ndarray:
        labels = np.empty((1, *size_hw), dtype=np.uint8)
        label_image(scores[0], axes_of(scores, size_hw), labels[0])
        return labels

    return label


def natively(
    scores: np.ndarray,
    size_hw: Size,
    threads: int,
    strategy: native.Strategy,
    instruction_set: native.InstructionSet,
) -> Way:
    def label() -> np.ndarray:
        labels = np.empty((1, *size_hw), dtype=np.uint8)
        native.label(
            scores,
            labels,
            axes_of(scores, size_hw),
            threads=threads,
            strategy=strategy,
            instruction_set=instruction_set,
        )
        return labels

    return label


def axes_of(scores: np.ndarray, size_hw: Size):
    sides = zip(scores.shape[2:], size_hw, strict=True)
    rows, columns = (bilinear_axis(a, b, align_corners=False) for a, b in sides)
    return rows, columns


def ways(scores: np.ndarray, size_hw: Size) -> dict[str, Way]:
    """Return everything that is compared, by its name, the reference first."""
    found = {
        REFERENCE: by_torch(scores, size_hw, 2),
        "numpy": by_numpy(scores, size_hw),
        "upsample_argmax": lambda: upsample_argmax(scores, size_hw),
    }
    for instructions in native.instruction_sets():
        strategies: tuple[native.Strategy, ...] = ("cheaper", "dense", "pruned")
        for strategy in strategies:
            for threads in THREADS:
                name = f"{instructions} {strategy}, {threads} thread{'s' * (threads > 1)}"
                found[name] = natively(scores, size_hw, threads, strategy, instructions)
    return found


def measure(compared: Mapping[str, Way], repeats: int) -> dict[str, dict[str, float]]:
    """Times all in turns; gives milliseconds and how many times faster than the reference."""
    expected = compared[REFERENCE]()
    for name, way in compared.items():
        if not np.array_equal(way(), expected):
            raise SystemExit(f"{name} gives other labels than torch")
    times_ms: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(repeats):
        for name, way in compared.items():
            begin = perf_counter()
            way()
            times_ms[name].append(1000 * (perf_counter() - begin))
    reference_ms = median(times_ms[REFERENCE])
    return {
        name: {
            "median_ms": median(times),
            "min_ms": min(times),
            "times_faster": reference_ms / median(times),
        }
        for name, times in times_ms.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--shrink", type=int, default=1, help="divide sizes, to try the script")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    machine = describe_machine()
    if machine.warning:
        print(f"warning: {machine.warning}", file=sys.stderr)
    size_hw = 1024 // given.shrink, 2048 // given.shrink
    coarse_hw = size_hw[0] // STRIDE, size_hw[1] // STRIDE
    results: dict[str, object] = {}
    for classes in CLASS_COUNTS:
        for kind, scores_of in (("trained", trained_scores), ("random", random_scores)):
            found = measure(ways(scores_of(classes, coarse_hw), size_hw), given.repeats)
            results[f"{classes} classes, {kind} scores"] = found
            print(f"\n{classes} classes, {kind} scores")
            for name, row in found.items():
                print(f"  {name:42} {row['median_ms']:9.2f} ms  {row['times_faster']:8.1f}x")
    report = {
        "command": "python benchmarks/upsample_argmax.py",
        "size_hw": size_hw,
        "repeats": given.repeats,
        "machine": machine.model_dump(),
        "results": results,
    }
    given.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
