"""Do exported files give torch's labels, for every network? Goal: on 99.99 % of the pixels.

    python benchmarks/export_parity.py --camvid DIR

Each network is exported at every size that docs/models.md counts it at and at 360x480, and runs
with ONNX Runtime and OpenVINO on real CamVid frames. Shipped weights are taken where there are any;
the other networks are trained on crops of CamVid's train frames for a few dozen steps: random
weights are sure of nothing, so that rounding alone turns labels.

Rows are written network by network to results/export_parity.json; those that are there are not
measured again unless `--networks` names them. Afterwards `python benchmarks/network_page.py`.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, ModelSpec
from swiftseg.data import open_dataset
from swiftseg.data.camvid import CAMVID_LABELS
from swiftseg.data.dataset import Dataset
from swiftseg.export.onnx_file import write_onnx
from swiftseg.export.parity import MIN_EQUAL_LABELS, ParityReport, measure_parity
from swiftseg.models import NETWORKS, create_model
from swiftseg.runtimes import read_spec
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.torch_backend import FrameGraph, TorchBackend
from swiftseg.weights import shipped_models, shipped_weights

RESULT = Path(__file__).parent / "results/export_parity.json"
NETWORK_TABLE = Path(__file__).parents[1] / "src/swiftseg/cli/networks.json"
PACKAGES = ("swiftseg", "torch", "onnx", "onnxruntime", "openvino", "numpy")

CAMVID_HW = (360, 480)
FRAMES = 10
SHIPPED = {"enet": "enet-camvid"}

SEED = 0
CROP_HW = (128, 160)
BATCH = 4
STEPS = 80
LEARNING_RATE = 1e-3
# Of FCN-8s: 134 million parameters without normalization want smaller steps, and fewer are enough,
# since no choice of its poolings is handed on.
FCN_STEPS, FCN_LEARNING_RATE = 30, 1e-4
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def measure(name: str, camvid: Path) -> list[dict[str, Any]]:
    """Gives one row for each size of a network."""
    network, input_fields, origin = prepared(name, camvid)
    val = open_dataset(str(camvid), "val")
    rows: list[dict[str, Any]] = []
    for size_hw in sizes_of(name):
        spec = ModelSpec(name, name, CAMVID_LABELS, InputSpec(size_hw, **input_fields))
        report, commonest = compare(network, spec, frames_of(val, size_hw))
        rows.append(
            {
                "network": name,
                "weights": origin,
                "size_hw": list(size_hw),
                "frames": report.frames,
                "pixels_of_the_commonest_label": commonest,
                "engines": [asdict(parity) for parity in report.engines],
            }
        )
        print_row(rows[-1])
    return rows


def prepared(name: str, camvid: Path) -> tuple[nn.Module, dict[str, Any], str]:
    """Gives a network that has learned something, its normalization and where it learned it."""
    torch.manual_seed(SEED)
    network = create_model(name, num_classes=len(CAMVID_LABELS))
    if name in SHIPPED:
        network.load_state_dict(load_file(shipped_weights()[SHIPPED[name]]))
        shipped = read_spec(shipped_models()[SHIPPED[name]]).input
        return network.eval(), {"mean": shipped.mean, "std": shipped.std}, SHIPPED[name]
    fcn = name.startswith("fcn")
    steps, rate = (FCN_STEPS, FCN_LEARNING_RATE) if fcn else (STEPS, LEARNING_RATE)
    loss = train(network, open_dataset(str(camvid), "train"), steps=steps, rate=rate)
    origin = f"{steps} steps of Adam {rate:g}, {BATCH} crops of {CROP_HW[0]}x{CROP_HW[1]}"
    print(f"{name}: {origin}, loss {loss:.2f}", flush=True)
    return network.eval(), IMAGENET, origin


def train(network: nn.Module, dataset: Dataset, *, steps: int, rate: float) -> float:
    """Trains all parameters and gives the last loss."""
    graph = FrameGraph(network, InputSpec(CROP_HW, **IMAGENET), "logits").train()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    rng = np.random.default_rng(SEED)
    loss = torch.zeros(())
    for _ in range(steps):
        images, masks = crops(dataset, rng)
        loss = F.cross_entropy(graph.logits(images), masks, ignore_index=CAMVID_LABELS.ignore_index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def crops(dataset: Dataset, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draws uint8 (BATCH, *CROP_HW, 3) and the masks, int64 (BATCH, *CROP_HW)."""
    images: list[np.ndarray] = []
    masks: list[np.ndarray] = []
    for index in rng.choice(len(dataset), BATCH, replace=False):
        sample = dataset[int(index)]
        top, left = (
            int(rng.integers(size - crop + 1))
            for size, crop in zip(sample.mask.shape, CROP_HW, strict=True)
        )
        rows, columns = slice(top, top + CROP_HW[0]), slice(left, left + CROP_HW[1])
        images.append(sample.image[rows, columns])
        masks.append(sample.mask[rows, columns])
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(masks)).long()


def sizes_of(name: str) -> list[tuple[int, int]]:
    """The sizes at which the papers count or run it, 512x1024 for ENet, and CamVid's own."""
    [row] = [row for row in json.loads(NETWORK_TABLE.read_text("utf-8")) if row["name"] == name]
    sizes = [(int(height), int(width)) for height, width in map(_size, row["at_paper"])]
    if name == "enet":
        sizes.append((512, 1024))  # where it is trained and scored on Cityscapes
    return [*dict.fromkeys([CAMVID_HW, *sizes])]


def _size(setting: dict[str, Any]) -> list[int]:
    return setting["size_hw"]


def frames_of(dataset: Dataset, size_hw: tuple[int, int]) -> Iterator[np.ndarray]:
    """Gives `FRAMES` frames spread over the split, uint8 (*size_hw, 3)."""
    for index in np.linspace(0, len(dataset) - 1, FRAMES).round():
        image = Image.fromarray(dataset[int(index)].image)
        yield np.asarray(image.resize(size_hw[::-1], Image.Resampling.BILINEAR))


def compare(
    network: nn.Module, spec: ModelSpec, frames: Iterator[np.ndarray]
) -> tuple[ParityReport, float]:
    """Exports and compares; tells as well how much of the frames has the commonest label.

    A network that gives one label everywhere would agree with anything.
    """
    reference = CountingBackend(network, spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(network, spec, path)
        report = measure_parity(reference, path, frames)
    return report, float(reference.counts.max() / reference.counts.sum())


class CountingBackend(TorchBackend):
    """Counts the pixels of each label it gives."""

    def __init__(self, network: nn.Module, spec: ModelSpec) -> None:
        super().__init__(network, spec)
        self.counts = np.zeros(len(spec.labels), dtype=np.int64)

    def run(self, batch: np.ndarray) -> np.ndarray:
        labels = super().run(batch)
        self.counts += np.bincount(labels.ravel(), minlength=len(self.counts))
        return labels


def print_row(row: dict[str, Any]) -> None:
    height, width = row["size_hw"]
    shares = ", ".join(
        f"{engine['engine']} {engine['equal_labels']:.6%} (mean {engine['mean_difference']:.0e})"
        for engine in row["engines"]
    )
    enough = all(engine["equal_labels"] >= MIN_EQUAL_LABELS for engine in row["engines"])
    size = f"{height}x{width}"
    print(f"{row['network']:22} {size:>9} {'' if enough else 'BELOW '}{shares}", flush=True)


def result_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "command": "python benchmarks/export_parity.py --camvid CAMVID",
        "goal": MIN_EQUAL_LABELS,
        "data": "CamVid val, frames spread evenly over the split",
        "seed": SEED,
        "versions": {name: version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "physical_cores": physical_cores(),
        "rows": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--camvid", type=Path, required=True, help="the folder of CamVid")
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, help="measure these anew [all that are missing]"
    )
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON to write")
    options = parser.parse_args()
    rows = json.loads(options.out.read_text("utf-8"))["rows"] if options.out.exists() else []
    done = {row["network"] for row in rows}
    for name in options.networks or [name for name in NETWORKS if name not in done]:
        others = [row for row in rows if row["network"] != name]
        rows = sorted(
            [*others, *measure(name, options.camvid)],
            key=lambda row: list(NETWORKS).index(row["network"]),
        )
        options.out.write_text(json.dumps(result_of(rows), indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print_row(row)


if __name__ == "__main__":
    main()
