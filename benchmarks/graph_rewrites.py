"""What does each rewrite of the exported graph gain, engine by engine?

    python benchmarks/graph_rewrites.py [--threads 2] [--rounds 5] [NETWORK:HxW ...]

Exports each network with every rewrite of `swiftseg.exporting.rewrites`, and once more without each
of them that changes its graph. The files run in turn, every run a process of its own, so that no
engine's threads disturb another's. Ratio: milliseconds without the rewrite over milliseconds with
it; above 1 the rewrite is a gain. Writes results/graph_rewrites.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median

import onnx
import torch
from torch import nn

from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.exporting.onnx_file import save_onnx, write_onnx
from swiftseg.exporting.rewrites import REWRITES, rewrite_graph
from swiftseg.models import create_model

RESULT = Path(__file__).parent / "results/graph_rewrites.json"
CASES = (
    "enet:360x640",
    "segfast:224x224",
    "fast_scnn:512x1024",
    "segnet_basic:360x480",
    "shelfnet18_lw:512x512",
)
ENGINES = ("onnxruntime f32", "openvino f32", "openvino bf16")
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
NUM_CLASSES = 19
PACKAGES = ("swiftseg", "torch", "onnx", "onnxruntime", "openvino")

# One process of its own, on the way that every command takes: the graph is cut before its argmax.
CHILD = """
import sys
from swiftseg.runtimes.trial import Candidate, time_ms
engine, precision, path, threads = sys.argv[1:5]
print(time_ms(Candidate(path, engine, precision, int(threads))))
"""


def settled(network: nn.Module) -> nn.Module:
    """Draws statistics and PReLU slopes, which fresh networks have all alike."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0, 0.5)
    return network.eval()


def export_variants(case: str, folder: Path) -> dict[str, Path]:
    """Writes the file with all rewrites ("all") and those without each that changes the graph."""
    name, _, size = case.partition(":")
    height, width = (int(part) for part in size.split("x"))
    torch.manual_seed(0)
    network = settled(create_model(name, num_classes=NUM_CLASSES))
    palette = tuple((index, index, index) for index in range(NUM_CLASSES))
    spec = ModelSpec(
        name=name,
        network=name,
        labels=LabelSet(tuple(f"class {i}" for i in range(NUM_CLASSES)), palette, 255),
        input=InputSpec((height, width), **IMAGENET),
    )
    traced = folder / "traced.onnx"
    write_onnx(network, spec, traced, rewrites=())
    files: dict[str, Path] = {}
    for without in ("all", *REWRITES):
        model = onnx.load(traced)
        rewrite_graph(model, [name for name in REWRITES if name != without])
        path = folder / f"{name}_{size}_without_{without}.onnx"
        save_onnx(model, path)
        if without == "all" or path.read_bytes() != files["all"].read_bytes():
            files[without] = path
    return files


def time_ms(engine: str, path: Path, threads: int) -> float:
    arguments = [*engine.split(), str(path), str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", CHILD, *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)


def measure(case: str, folder: Path, threads: int, rounds: int) -> list[dict[str, object]]:
    files = export_variants(case, folder)
    times_ms = {key: list[float]() for key in product(ENGINES, files)}
    for _, (engine, variant) in product(range(rounds), times_ms):
        times_ms[engine, variant].append(time_ms(engine, files[variant], threads))
    rows: list[dict[str, object]] = []
    for engine, variant in times_ms:
        with_ms, without_ms = median(times_ms[engine, "all"]), median(times_ms[engine, variant])
        row: dict[str, object] = {"case": case, "engine": engine, "rewrite": variant}
        row |= {"ms": without_ms, "runs_ms": times_ms[engine, variant]}
        rows.append(row if variant == "all" else row | {"gain": without_ms / with_ms})
    return rows


def print_rows(rows: Sequence[dict[str, object]]) -> None:
    for row in rows:
        gain = f"{row['gain']:.2f}x" if "gain" in row else ""
        label = "all rewrites" if row["rewrite"] == "all" else f"without {row['rewrite']}"
        print(f"{row['case']:22} {row['engine']:16} {label:24} {row['ms']:8.2f} ms {gain}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", default=CASES, metavar="NETWORK:HxW")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in arguments.cases:
            rows += measure(case, Path(folder), arguments.threads, arguments.rounds)
    print_rows(rows)
    gains = [row for row in rows if "gain" in row and row["engine"] == ENGINES[0]]
    result = {
        "command": "python benchmarks/graph_rewrites.py",
        "versions": {name: version(name) for name in PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        "threads": arguments.threads,
        "load_average": os.getloadavg(),
        "kept": list(REWRITES),
        "faster_without": [
            f"{r['case']} {r['rewrite']}" for r in gains if float(str(r["gain"])) < 1
        ],
        "rows": rows,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
