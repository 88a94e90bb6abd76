"""ENet's Table 2: SegNet and ENet on frames of 640x360, 1280x720 and 1920x1080 (width x height).

    python benchmarks/enet_speed.py

The paper's milliseconds are those of an NVIDIA TX1 and a Titan X, with batch normalization and
dropout folded; what a CPU can be held against are their quotients. The paper does not tell its
class count; 20 are Cityscapes' and void.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from speed_report import Ratio
from speed_script import (
    EAGER,
    ENGINE,
    RANDOM_WEIGHTS,
    Options,
    eager_forward,
    engine_frames,
    find,
    finish,
    measure,
    read_options,
    slower_by,
)

from swiftseg.benchmarking.benchmark_report import Measurement

NUM_CLASSES = 20
SIZES_HW = ((360, 640), (720, 1280), (1080, 1920))

# Table 2, ms for one image, SegNet's and ENet's, by device and (height, width).
PUBLISHED_MS = {
    ("Titan X", (360, 640)): (69, 7),
    ("Titan X", (720, 1280)): (289, 21),
    ("Titan X", (1080, 1920)): (637, 46),
    ("TX1", (360, 640)): (1251, 69),
}


def ratios(measurements: Sequence[Measurement], options: Options) -> list[Ratio]:
    """Makes SegNet's time over ENet's at each size, beside the paper's."""
    found: list[Ratio] = []
    for (device, (height, width)), (segnet_ms, enet_ms) in PUBLISHED_MS.items():
        for way in (EAGER, ENGINE):
            size_hw = options.size_hw(height, width)
            segnet = find(measurements, "segnet", way, size_hw)
            enet = find(measurements, "enet", way, size_hw)
            found.append(
                Ratio(
                    what=f"SegNet / ENet, {width}x{height} (WxH), {way}",
                    measured=slower_by(segnet, enet),
                    published=segnet_ms / enet_ms,
                    source=f"ENet Table 2, {device}: {segnet_ms} / {enet_ms} ms",
                )
            )
    return found


def main() -> None:
    options = read_options(__doc__ or "")
    with tempfile.TemporaryDirectory() as folder:
        candidates = [
            candidate
            for name in ("enet", "segnet")
            for size_hw in (options.size_hw(*size) for size in SIZES_HW)
            for candidate in (
                eager_forward(name, size_hw, NUM_CLASSES),
                engine_frames(name, size_hw, NUM_CLASSES, Path(folder)),
            )
        ]
        measurements = measure(options, candidates)
    finish(
        "ENet against SegNet",
        options,
        measurements=measurements,
        ratios=ratios(measurements, options),
        notes=[RANDOM_WEIGHTS],
    )


if __name__ == "__main__":
    main()
