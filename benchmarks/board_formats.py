"""Which networks can be exported to which formats of boards, and do they keep torch's labels?

    python benchmarks/board_formats.py                     formats whose packages are installed
    python benchmarks/board_formats.py --page              docs/board-formats.md from the results

Every network is trained on drawn street scenes for a few dozen steps, since random weights are sure
of nothing and rounding alone turns their labels. Then it is exported to each format and runs in the
format's own runtime on other scenes. Rows are written one by one to results/board_formats.json;
those that are there are not measured again unless `--networks` names them.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, MissingExtraError, ModelSpec, SwiftsegError
from swiftseg.data.toy_street import ToyStreet
from swiftseg.exporting import export_board as exporting
from swiftseg.exporting.formats import FORMATS, find_write
from swiftseg.models import create_model
from swiftseg.runtimes.torch_backend import FrameGraph

RESULT = Path(__file__).parent / "results/board_formats.json"
PAGE = Path(__file__).parents[1] / "docs/board-formats.md"

NETWORKS = (
    "enet",
    "segnet",
    "segnet_basic",
    "bayesian_segnet",
    "fcn8s",
    "segfast",
    "shelfnet50",
    "shelfnet18_lw",
    "fast_scnn",
)
SIZE_HW = (192, 256)
FRAMES, BATCH, CROP_HW, SEED = 4, 4, (96, 128), 0
INPUT = InputSpec(SIZE_HW, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
LEARNING_RATES = {"fcn8s": 1e-4}  # which has no normalization; 1e-3 for all others


def trained(name: str, steps: int) -> nn.Module:
    """Return a network that has learned something; its norms know the data."""
    torch.manual_seed(SEED)
    streets = ToyStreet("train", BATCH * 4, CROP_HW)
    network = create_model(name, num_classes=len(streets.labels)).train()
    graph = FrameGraph(network, INPUT, "logits")
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATES.get(name, 1e-3))
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 0.3  # a training this short ends before slower ones arrive
    samples = [streets[index] for index in range(len(streets))]
    for step in range(steps):
        batch = [samples[(step * BATCH + i) % len(samples)] for i in range(BATCH)]
        frames = torch.from_numpy(np.stack([sample.image for sample in batch]))
        masks = torch.from_numpy(np.stack([sample.mask for sample in batch])).long()
        logits = graph.logits(frames)
        loss = F.cross_entropy(logits, masks, ignore_index=streets.labels.ignore_index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def rows_of(name: str, steps: int, known: set[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each format and precision of a network that is not known."""
    wanted = [
        (form, precision)
        for form, found in FORMATS.items()
        for precision in found.precisions
        if (name, form, precision) not in known and is_installed(form)
    ]
    if not wanted:
        return
    network = trained(name, steps)
    labels = ToyStreet("test", 1, CROP_HW).labels
    spec = ModelSpec(name, name, labels, INPUT)
    scenes = [sample.image for sample in ToyStreet("test", FRAMES, SIZE_HW)]
    for form, precision in wanted:
        row: dict[str, Any] = {"network": name, "format": form, "precision": precision}
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "model"
            try:
                parity = exporting.export_board(
                    network, spec, out, format_name=form, precision=precision, frames=scenes
                )
                row["equal_labels"] = parity.equal_labels
                row["megabytes"] = round(
                    sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6, 2
                )
            except SwiftsegError as error:
                row["refused"] = str(error).split("not written: ", 1)[-1].splitlines()[0]
        print(row, flush=True)
        yield row


def is_installed(form: str) -> bool:
    try:
        find_write(form)
    except MissingExtraError:
        return False
    return True


def result_of(rows: list[dict[str, Any]], steps: int, versions: dict[str, str]) -> dict[str, Any]:
    installed = [found.package for form, found in FORMATS.items() if is_installed(form)]
    return {
        "command": "python benchmarks/board_formats.py",
        "goals": exporting.MIN_EQUAL_LABELS,
        "training": f"{steps} steps of Adam on {BATCH} drawn scenes of {CROP_HW[0]}x{CROP_HW[1]}",
        "frames": f"{FRAMES} drawn scenes of {SIZE_HW[0]}x{SIZE_HW[1]}",
        "versions": versions | {name: version(name) for name in ("torch", *installed)},
        "machine": platform.machine(),
        "rows": rows,
    }


def cell(rows: list[dict[str, Any]], network: str, form: str, precision: str) -> str:
    found = [
        row
        for row in rows
        if (row["network"], row["format"], row["precision"]) == (network, form, precision)
    ]
    if not found:
        return "not tried"
    row = found[0]
    if "refused" in row:
        return f"no: {row['refused'].removeprefix(network + ': ')}"
    if row["equal_labels"] is None:
        return f"converted, {row['megabytes']:g} MB"
    return f"{100 * row['equal_labels']:.3f} %, {row['megabytes']:g} MB"


def page(result: dict[str, Any]) -> str:
    """Return the table of formats x networks in Markdown."""
    kinds = [(form, p) for form, found in FORMATS.items() for p in found.precisions]
    head = " | ".join(f"{form} {precision}" for form, precision in kinds)
    lines = [
        "# Networks in the formats of boards",
        "",
        "Made by `python benchmarks/board_formats.py --page`. A percentage is the share of labels "
        f"that equal torch's, in the format's own runtime, on {result['frames']}; the networks had "
        f"{result['training']}. An export is refused below "
        f"{100 * result['goals']['f32']:g} % in f32 and {100 * result['goals']['fp16']:g} % in "
        "fp16. `converted` means that the converter took every operator, and that the file was "
        "not run: Core ML runs on Apple's systems alone. No INT8 file was made in these formats.",
        "",
        f"| network | {head} |",
        "| --- |" + " ---: |" * len(kinds),
    ]
    for network in NETWORKS:
        cells = " | ".join(cell(result["rows"], network, *kind) for kind in kinds)
        lines.append(f"| {network} | {cells} |")
    versions = ", ".join(f"{name} {value}" for name, value in sorted(result["versions"].items()))
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", default=[], help="measure these again")
    parser.add_argument("--steps", type=int, default=40, help="of training")
    parser.add_argument("--page", action="store_true", help="write docs/board-formats.md")
    options = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.is_file() else {"rows": [], "versions": {}}
    if options.page:
        PAGE.write_text(page(result))
        return
    rows = [row for row in result["rows"] if row["network"] not in options.networks]
    for name in options.networks or NETWORKS:
        known = {(row["network"], row["format"], row["precision"]) for row in rows}
        for row in rows_of(name, options.steps, known):
            rows.append(row)
            result = result_of(rows, options.steps, result["versions"])
            RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
