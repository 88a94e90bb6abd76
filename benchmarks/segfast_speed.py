"""SegFast's Tables 4 and 5: forward and backward pass at 224x224, and parameters.

    python benchmarks/segfast_speed.py

The paper times one image on a Xeon E5-2623 v4; its parameter counts are met at 22 classes. Here the
passes run in plain torch, and the exported networks beside them in ONNX Runtime.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from speed_report import Ratio
from speed_script import (
    EAGER,
    ENGINE,
    RANDOM_WEIGHTS,
    Options,
    engine_frames,
    find,
    finish,
    measure,
    read_options,
    slower_by,
)

from swiftseg.benchmarking import torch_networks
from swiftseg.benchmarking.benchmark_report import Measurement
from swiftseg.benchmarking.measure import Candidate
from swiftseg.core.fresh_process import run_in_process

NUM_CLASSES = 22
SIZE_HW = (224, 224)
SCOPE = "tensor to gradients"

# Forward and backward seconds (Table 4) and parameters (Table 5).
PUBLISHED = {
    "fcn8s": (3.385, 5.230, 134_507_010),
    "segnet": (1.977, 3.251, 29_455_702),
    "segfast_basic": (0.419, 1.336, 2_965_976),
    "segfast": (0.389, 0.929, 603_288),
}
OTHERS = ("fcn8s", "segnet", "segfast_basic")


def training(name: str, options: Options) -> Candidate:
    """A network's forward and backward pass in plain torch."""
    arguments = {"model": name, "num_classes": NUM_CLASSES}
    size_hw = options.size_hw(*SIZE_HW)
    facts = run_in_process(torch_networks.describe, size_hw=size_hw, **arguments)
    describes = {**facts, "way": EAGER, "scope": SCOPE}
    return Candidate(torch_networks.measure_training, arguments, describes)


def ratios(measurements: Sequence[Measurement], options: Options) -> list[Ratio]:
    """Makes every network's figures over SegFast's, beside the paper's."""
    size_hw = options.size_hw(*SIZE_HW)
    found: list[Ratio] = []
    for name in OTHERS:
        other, own = (find(measurements, one, EAGER, size_hw) for one in (name, "segfast"))
        found += [_pass_ratio("forward", 0, other, own), _pass_ratio("backward", 1, other, own)]
        found.append(
            Ratio(
                what=f"{name} / segfast, from frame to labels, {ENGINE}",
                measured=slower_by(
                    find(measurements, name, ENGINE, size_hw),
                    find(measurements, "segfast", ENGINE, size_hw),
                ),
                published=PUBLISHED[name][0] / PUBLISHED["segfast"][0],
                source="SegFast Table 4, forward",
            )
        )
        assert other.parameters is not None
        assert own.parameters is not None
        found.append(
            Ratio(
                what=f"{name} / segfast, parameters",
                measured=other.parameters / own.parameters,
                published=PUBLISHED[name][2] / PUBLISHED["segfast"][2],
                source=f"SegFast Table 5: {PUBLISHED[name][2]:,} / {PUBLISHED['segfast'][2]:,}",
            )
        )
    return found


def _pass_ratio(
    stage: Literal["forward", "backward"], column: int, other: Measurement, own: Measurement
) -> Ratio:
    theirs_s, segfast_s = PUBLISHED[other.name][column], PUBLISHED["segfast"][column]
    return Ratio(
        what=f"{other.name} / segfast, {stage}, {EAGER}",
        measured=other.stages_ms[stage].p50_ms / own.stages_ms[stage].p50_ms,
        published=theirs_s / segfast_s,
        source=f"SegFast Table 4, Xeon E5-2623 v4: {theirs_s} / {segfast_s} s",
    )


def main() -> None:
    options = read_options(__doc__ or "", passes=3)
    size_hw = options.size_hw(*SIZE_HW)
    with tempfile.TemporaryDirectory() as folder:
        candidates = [training(name, options) for name in PUBLISHED]
        candidates += [
            engine_frames(name, size_hw, NUM_CLASSES, Path(folder)) for name in PUBLISHED
        ]
        measurements = measure(options, candidates)
    finish(
        "SegFast against FCN-8s, SegNet and SegFast-Basic",
        options,
        measurements=measurements,
        ratios=ratios(measurements, options),
        notes=[
            RANDOM_WEIGHTS,
            "The training passes keep normalization to its running averages.",
        ],
    )


if __name__ == "__main__":
    main()
