"""Fast-SCNN's Tables 5 and 7: three input sizes, labels and probabilities, ENet and SegNet beside.

    python benchmarks/fast_scnn_speed.py

The paper's frames a second are those of a Titan X (Maxwell) and a Titan Xp (Pascal) in TensorFlow,
the forward pass alone, one image. *cls* gives labels, *prob* the softmax at the frame's size; what
a CPU can be held against are quotients.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from speed_report import Ratio
from speed_script import (
    EAGER,
    ENGINE,
    RANDOM_WEIGHTS,
    Options,
    SizeHw,
    eager_forward,
    engine_frames,
    exported,
    find,
    finish,
    measure,
    read_options,
    slower_by,
)

from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.benchmarking.measure import Candidate
from swiftseg.benchmarking.timing import measure_ms
from swiftseg.data.images.image_file import read_image
from swiftseg.runtimes import load_backend
from swiftseg.runtimes.base import labels_of

NUM_CLASSES = 19
SIZES_HW = ((1024, 2048), (512, 1024), (256, 512))
FULL_HW = SIZES_HW[0]
PROB = f"{ENGINE}, prob"

# Table 5, frames a second on a Titan X at the sizes above; SegNet at the first alone.
CLS_FPS = (75.3, 218.8, 403.1)
PROB_FPS = (62.1, 197.6, 372.8)
ENET_FPS = (20.4, 76.9, 142.9)
SEGNET_FPS = 1.6
# Table 7, on a Titan Xp, cls.
TABLE_7_FPS = (123.5, 285.8, 485.4)


def measure_probs(model: str, image: str, threads: int, seconds: float) -> dict[str, Any]:
    """Measures an engine from frame to probabilities float32 (C, H, W)."""
    backend = load_backend(model, name=ENGINE, threads=threads)
    batch = np.ascontiguousarray(read_image(image))[None]
    times_ms = measure_ms(lambda: labels_of(backend, batch), seconds=seconds)
    return {"total_ms": times_ms, "stages_ms": {"network": times_ms}}


def probs(size_hw: SizeHw, folder: Path) -> Candidate:
    """Fast-SCNN as *prob*."""
    file = folder / f"fast_scnn-prob-{size_hw[0]}x{size_hw[1]}.onnx"
    describes = exported("fast_scnn", size_hw, NUM_CLASSES, file, output="probs")
    describes |= {"way": PROB, "scope": "frame to probabilities"}
    return Candidate(measure_probs, {"model": str(file)}, describes)


def ratios(measurements: Sequence[Measurement], options: Options) -> list[Ratio]:
    """Makes the quotients of Table 5 at each size, and those of sizes from Table 7."""
    found: list[Ratio] = []
    for index, (height, width) in enumerate(SIZES_HW):
        size_hw = options.size_hw(height, width)
        own = find(measurements, "fast_scnn", ENGINE, size_hw)
        fps = CLS_FPS[index]
        pairs = [("ENet / Fast-SCNN cls", "enet", ENGINE, ENET_FPS[index])]
        pairs.append(("Fast-SCNN prob / cls", "fast_scnn", PROB, PROB_FPS[index]))
        if (height, width) == FULL_HW:
            pairs.append(("SegNet / Fast-SCNN cls", "segnet", ENGINE, SEGNET_FPS))
        for what, name, way, other_fps in pairs:
            found.append(
                Ratio(
                    what=f"{what}, {height}x{width}",
                    measured=slower_by(find(measurements, name, way, size_hw), own),
                    published=fps / other_fps,
                    source=f"Fast-SCNN Table 5, Titan X: {fps} / {other_fps} fps",
                )
            )
    return found + _size_ratios(measurements, options)


def _size_ratios(measurements: Sequence[Measurement], options: Options) -> list[Ratio]:
    full_fps = TABLE_7_FPS[0]
    return [
        Ratio(
            what=f"Fast-SCNN, {FULL_HW[0]}x{FULL_HW[1]} / {height}x{width}, {way}",
            measured=slower_by(
                find(measurements, "fast_scnn", way, options.size_hw(*FULL_HW)),
                find(measurements, "fast_scnn", way, options.size_hw(height, width)),
            ),
            published=fps / full_fps,
            source=f"Fast-SCNN Table 7, Titan Xp: {fps} / {full_fps} fps",
        )
        for (height, width), fps in zip(SIZES_HW[1:], TABLE_7_FPS[1:], strict=True)
        for way in (EAGER, ENGINE)
    ]


def main() -> None:
    options = read_options(__doc__ or "")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        candidates: list[Candidate] = []
        for size_hw in (options.size_hw(*size) for size in SIZES_HW):
            candidates.append(engine_frames("fast_scnn", size_hw, NUM_CLASSES, folder))
            candidates.append(probs(size_hw, folder))
            candidates.append(eager_forward("fast_scnn", size_hw, NUM_CLASSES))
            candidates.append(engine_frames("enet", size_hw, NUM_CLASSES, folder))
        full_hw = options.size_hw(*FULL_HW)
        candidates.append(engine_frames("segnet", full_hw, NUM_CLASSES, folder))
        measurements = measure(options, candidates)
    finish(
        "Fast-SCNN at three sizes, ENet and SegNet beside it",
        options,
        measurements=measurements,
        ratios=ratios(measurements, options),
        notes=[RANDOM_WEIGHTS],
    )


if __name__ == "__main__":
    main()
