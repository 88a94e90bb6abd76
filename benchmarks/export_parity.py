"""Do exported files give torch's labels, for every network? Goal: on 99.99 % of the pixels.

    python benchmarks/export_parity.py --camvid DIR

Each network is exported at its paper's size and at 360x480 and runs with ONNX Runtime and OpenVINO
on real CamVid frames. Shipped weights are taken where there are any; the other networks are trained
on crops of CamVid's train frames for a few dozen steps: random weights are sure of nothing, so that
rounding alone turns labels.

Rows are written network by network to results/export_parity.json; those that are there are not
measured again unless `--networks` names them. Each tells its steps of training and its frames,
which `--steps` and `--frames` set. Afterwards run `python benchmarks/network_page.py`.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from swiftseg.core import InputSpec, ModelSpec
from swiftseg.data import open_dataset
from swiftseg.data.dataset import Dataset
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.exporting.onnx_file import write_onnx
from swiftseg.exporting.parity import MIN_EQUAL_LABELS
from swiftseg.models import NETWORKS, create_model
from swiftseg.runtimes import load_backend, read_spec
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.cores import physical_cores
from swiftseg.runtimes.torch_backend import FrameGraph, TorchBackend
from swiftseg.weights import shipped_models, shipped_weights

RESULT = Path(__file__).parent / "results/export_parity.json"
ENGINES = ("onnxruntime", "openvino")
PACKAGES = ("swiftseg", "torch", "onnx", "onnxruntime", "openvino", "numpy")

CAMVID_HW = (360, 480)
PAPER_SIZES_HW = {
    "enet": [(360, 640), (512, 1024)],  # where it is timed, and Cityscapes
    "enet_encoder": [(360, 640), (512, 1024)],
    "segnet": [CAMVID_HW],
    "segnet_basic": [CAMVID_HW],
    "bayesian_segnet": [CAMVID_HW],
    "bayesian_segnet_basic": [CAMVID_HW],
    "fcn8s": [(224, 224)],  # the SegFast paper's
    "segfast": [(224, 224)],
    "segfast_basic": [(224, 224)],
    "shelfnet50": [(512, 512)],
    "shelfnet101": [(512, 512)],
    "shelfnet18_lw": [(1024, 2048)],
    "shelfnet34_lw": [(1024, 2048)],
    "fast_scnn": [(1024, 2048)],
}
SHIPPED = {"enet": "enet-camvid"}

SEED = 0
CROP_HW = (96, 128)
BATCH = 4
NORM_BATCHES = 10
LEARNING_RATES = {"fcn8s": 1e-4}  # which has no normalization; 1e-3 for all others
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def measure(name: str, camvid: Path, *, steps: int, frames: int) -> list[dict[str, Any]]:
    """Return one row for each size of a network."""
    network, input_fields, origin = prepared(name, camvid, steps)
    val = open_dataset(str(camvid), "val")
    rows: list[dict[str, Any]] = []
    for size_hw in dict.fromkeys([CAMVID_HW, *PAPER_SIZES_HW[name]]):
        spec = ModelSpec(name, name, CAMVID_LABELS, InputSpec(size_hw, **input_fields))
        equal_labels, commonest = compare(network, spec, frames_of(val, frames, size_hw))
        rows.append(
            {
                "network": name,
                "weights": origin,
                "size_hw": list(size_hw),
                "frames": frames,
                "equal_labels": equal_labels,
                "share_of_the_commonest_label": commonest,
            }
        )
        print_row(rows[-1])
    return rows


def prepared(name: str, camvid: Path, steps: int) -> tuple[nn.Module, dict[str, Any], str]:
    """Return a network that has learned something, its normalization and where it learned it."""
    torch.manual_seed(SEED)
    network = create_model(name, num_classes=len(CAMVID_LABELS))
    if name in SHIPPED:
        network.load_state_dict(load_file(shipped_weights()[SHIPPED[name]]))
        shipped = read_spec(shipped_models()[SHIPPED[name]]).input
        return network.eval(), {"mean": shipped.mean, "std": shipped.std}, SHIPPED[name]
    rate = LEARNING_RATES.get(name, 1e-3)
    loss = train(network, open_dataset(str(camvid), "train"), steps=steps, rate=rate)
    origin = f"{steps} steps of Adam {rate:g}, {BATCH} crops of {CROP_HW[0]}x{CROP_HW[1]}"
    if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        origin += f", statistics of {NORM_BATCHES} batches more"
    print(f"{name}: {origin}, loss {loss:.2f}", flush=True)
    return network.eval(), IMAGENET, origin


def train(network: nn.Module, dataset: Dataset, *, steps: int, rate: float) -> float:
    """Trains all parameters and gives the last loss.

    Running statistics lag behind a training that is this short; they are taken anew at its end.
    """
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
    update_bn((crops(dataset, rng)[0] for _ in range(NORM_BATCHES)), graph)
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


def frames_of(dataset: Dataset, count: int, size_hw: tuple[int, int]) -> Iterator[np.ndarray]:
    """Return frames spread over the split, uint8 (*size_hw, 3)."""
    for index in np.linspace(0, len(dataset) - 1, count).round():
        image = Image.fromarray(dataset[int(index)].image)
        yield np.array(image.resize(size_hw[::-1], Image.Resampling.BILINEAR))


def compare(
    network: nn.Module, spec: ModelSpec, frames: Iterable[np.ndarray]
) -> tuple[dict[str, float], float]:
    """Exports a network and runs both.

    Returns:
        By engine, the share of pixels with torch's label, and the share of the pixels that have
        torch's commonest: a network that gives one label everywhere would agree with anything.
    """
    reference = TorchBackend(network, spec)
    equal: dict[str, int] = dict.fromkeys(ENGINES, 0)
    counts = np.zeros(len(spec.labels), dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(network, spec, path)
        engines = [load_backend(path, name=name) for name in ENGINES]
    for frame in frames:
        labels = labels_of(reference, frame[None])
        counts += np.bincount(labels.ravel(), minlength=len(counts))
        for engine in engines:
            equal[engine.engine.backend] += int((labels_of(engine, frame[None]) == labels).sum())
    pixels = int(counts.sum())
    return {name: count / pixels for name, count in equal.items()}, float(counts.max() / pixels)


def print_row(row: dict[str, Any]) -> None:
    height, width = row["size_hw"]
    shares = row["equal_labels"]
    told = "  ".join(f"{name} {share:.6%}" for name, share in shares.items())
    below = "" if min(shares.values()) >= MIN_EQUAL_LABELS else "  BELOW"
    print(f"{row['network']:22}{f'{height}x{width}':>10}  {told}{below}", flush=True)


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
    parser.add_argument("--steps", type=int, default=80, help="of training [80]")
    parser.add_argument("--frames", type=int, default=10, help="to compare on [10]")
    parser.add_argument("--out", type=Path, default=RESULT, help="the JSON to write")
    options = parser.parse_args()
    rows = json.loads(options.out.read_text("utf-8"))["rows"] if options.out.exists() else []
    done = {row["network"] for row in rows}
    for name in options.networks or [name for name in NETWORKS if name not in done]:
        measured = measure(name, options.camvid, steps=options.steps, frames=options.frames)
        others = [row for row in rows if row["network"] != name]
        rows = sorted(
            [*others, *measured],
            key=lambda row: list(NETWORKS).index(row["network"]),
        )
        options.out.write_text(json.dumps(result_of(rows), indent=2) + "\n", encoding="utf-8")
    for row in rows:
        print_row(row)


if __name__ == "__main__":
    main()
