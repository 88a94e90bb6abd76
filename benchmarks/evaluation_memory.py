"""Does evaluation hold more memory the more frames there are? 1,000 against 10,000.

    python benchmarks/evaluation_memory.py

Each count runs in a process of its own, without torch, with every metric taken: an ENet of random
weights at 48x64, exported to ONNX Runtime, on generated frames with Cityscapes' 19 classes. Needs
Linux, which tells a process its peak. Writes results/evaluation_memory.json.
"""

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from swiftseg.benchmarking.held_memory import peak_mb
from swiftseg.core import InputSpec, ModelSpec, Sample
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter

RESULT = Path(__file__).parent / "results/evaluation_memory.json"
COUNTS = (1_000, 10_000)
SIZE_HW = (48, 64)
PACKAGES = ("swiftseg", "onnxruntime", "numpy", "pillow")


class Noise(Sequence[Sample]):
    """Frames and masks made as they are asked for."""

    labels = CITYSCAPES_LABELS

    def __init__(self, count: int) -> None:
        self._length = count

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
        mask = rng.integers(0, len(self.labels), SIZE_HW, dtype=np.uint8)
        return Sample(f"frame_{index}", image, mask)


def measure(model: str, count: int) -> dict[str, float | None]:
    """Evaluates in this process; gives the most memory that has been resident, in MB."""
    segmenter = Segmenter.load(model, threads=1)
    peaks: list[float | None] = []
    evaluate(
        segmenter,
        Noise(count),
        calibration_error=True,
        on_frame=lambda sample, label_map: peaks.append(peak_mb()),
    )
    after_100 = peaks[99]
    return {"frames": count, "peak_mb_after_100_frames": after_100, "peak_mb": peak_mb()}


def write_model(path: Path) -> None:
    import torch

    from swiftseg.exporting.onnx_file import write_onnx
    from swiftseg.models import create_model

    torch.manual_seed(0)
    spec = ModelSpec("enet-random", "enet", CITYSCAPES_LABELS, InputSpec(SIZE_HW))
    write_onnx(create_model("enet", num_classes=len(CITYSCAPES_LABELS)).eval(), spec, path)


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "enet.onnx"
        write_model(model)
        command = [sys.executable, __file__, "measure", str(model)]
        runs = [
            json.loads(subprocess.check_output([*command, str(count)], text=True))
            for count in COUNTS
        ]
    result = {
        "command": "python benchmarks/evaluation_memory.py",
        "versions": {name: version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "runs": runs,
        "growth_mb": runs[-1]["peak_mb"] - runs[0]["peak_mb"],
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
