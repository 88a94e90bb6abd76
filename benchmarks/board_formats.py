"""Which networks can be exported to which formats of boards, and do they keep torch's labels?

    python benchmarks/board_formats.py                     formats whose packages are installed
    python benchmarks/board_formats.py --page              docs/board-formats.md from the results

Every network has learned drawn street scenes: by its shipped weights, or by some steps here, since
random weights are sure of nothing and rounding alone turns their labels. Then it is exported to
each format and runs in the format's own runtime on other scenes. Rows are written one by one to
results/board_formats.json; those that are there are not measured again unless `--again` says so.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from swiftseg.inference.calibration_frames import Calibration
from swiftseg.models import create_model
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.trained import load_trained
from swiftseg.weights import shipped_weights

RESULT = Path(__file__).parent / "results/board_formats.json"
PAGE = Path(__file__).parents[1] / "docs/board-formats.md"

NETWORKS = (
    "enet",
    "segfast",
    "segfast_basic",
    "fast_scnn",
    "shelfnet18_lw",
    "shelfnet34_lw",
    "shelfnet50",
    "segnet_basic",
    "segnet",
    "fcn8s",
)
PRECISIONS = ("f32", "fp16", "int8")
SIZE_HW = (96, 128)
FRAMES, STEPS, BATCH, CROP_HW, SEED = 8, 20, 4, (64, 96), 0
INPUT = InputSpec(SIZE_HW, mean=(0.45, 0.45, 0.45), std=(0.25, 0.25, 0.25))
CALIBRATION_FRAMES, MAX_DROP = 16, 0.5
MOST_OF_A_REASON = 120  # characters; converters quote whole graphs
LEARNING_RATES = {"fcn8s": 1e-4}  # which has no normalization; 1e-3 for all others


def learned(name: str, kept: Path | None) -> tuple[nn.Module, ModelSpec]:
    """Return a network that has learned drawn scenes: shipped, kept from before, or trained now."""
    labels = ToyStreet("test", 1, CROP_HW).labels
    shipped = shipped_weights().get(f"{name}-toystreet")
    if shipped is not None:
        network, spec = load_trained(shipped)
        return network, replace(spec, input=replace(spec.input, size_hw=SIZE_HW))
    path = kept / f"{name}.pt" if kept is not None else None
    torch.manual_seed(SEED)
    network = create_model(name, num_classes=len(labels))
    if path is not None and path.is_file():
        network.load_state_dict(torch.load(path, weights_only=True))
    else:
        train(network, name)
        if path is not None:
            torch.save(network.state_dict(), path)
    return network.eval(), ModelSpec(name, name, labels, INPUT)


def train(network: nn.Module, name: str) -> None:
    """Teach a network drawn scenes of half the size; its norms know the data afterwards."""
    streets = ToyStreet("train", BATCH * 4, CROP_HW)
    graph = FrameGraph(network.train(), INPUT, "logits")
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATES.get(name, 1e-3))
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 0.3  # a training this short ends before slower ones arrive
    samples = [streets[index] for index in range(len(streets))]
    for step in range(STEPS):
        batch = [samples[(step * BATCH + i) % len(samples)] for i in range(BATCH)]
        frames = torch.from_numpy(np.stack([sample.image for sample in batch]))
        masks = torch.from_numpy(np.stack([sample.mask for sample in batch])).long()
        logits = graph.logits(frames)
        loss = F.cross_entropy(logits, masks, ignore_index=streets.labels.ignore_index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def rows_of(
    name: str, kinds: Sequence[tuple[str, str]], kept: Path | None, known: set[tuple[str, str, str]]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each format and precision of a network that is not known."""
    wanted = [kind for kind in kinds if (name, *kind) not in known and is_installed(kind[0])]
    if not wanted:
        return
    network, spec = learned(name, kept)
    for form, precision in wanted:
        row = {"network": name, "format": form, "precision": precision}
        row |= {"frames": scenes(), "training": taught(name)}
        row |= exported(network, spec, form, precision)
        print(row, flush=True)
        yield row


def key_of(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["network"], row["format"], row["precision"]


def scenes() -> str:
    return f"{FRAMES} of {SIZE_HW[0]}x{SIZE_HW[1]}"


def taught(name: str) -> str:
    if f"{name}-toystreet" in shipped_weights():
        return "shipped"
    return f"{STEPS} steps on {BATCH} scenes of {CROP_HW[0]}x{CROP_HW[1]}"


def exported(network: nn.Module, spec: ModelSpec, form: str, precision: str) -> dict[str, Any]:
    """Export a network; return what was found, or why there is no file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        try:
            parity = exporting.export_board(
                network,
                spec,
                out,
                format_name=form,
                precision=precision,
                frames=[sample.image for sample in ToyStreet("test", FRAMES, SIZE_HW)],
                calibration=calibration() if precision == "int8" else None,
                max_drop=MAX_DROP,
            )
        except SwiftsegError as error:
            reason = str(error).split("not written: ", 1)[-1].splitlines()[0]
            return {"refused": reason.removeprefix(f"{spec.network}: ")[:MOST_OF_A_REASON]}
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    found = {"ran_in": parity.ran_in, "megabytes": round(size / 1e6, 2)}
    if parity.measure:
        return {**found, "mean_iou_f32": parity.before, "mean_iou_int8": parity.after}
    return {**found, "equal_labels": parity.equal_labels}


def calibration() -> Calibration:
    """Draw labeled scenes, from which int8 takes its ranges and on which it is judged."""
    samples = list(ToyStreet("val", CALIBRATION_FRAMES, SIZE_HW))
    frames, masks = (tuple(getattr(s, kind) for s in samples) for kind in ("image", "mask"))
    ignored = ToyStreet("val", 1, SIZE_HW).labels.ignore_index
    return Calibration(frames, (None,) * len(frames), masks, ignored)


def is_installed(form: str) -> bool:
    try:
        find_write(form)
    except MissingExtraError:
        return False
    return True


def result_of(rows: list[dict[str, Any]], versions: dict[str, str]) -> dict[str, Any]:
    installed = [found.package for form, found in FORMATS.items() if is_installed(form)]
    return {
        "command": "python benchmarks/board_formats.py",
        "goals": exporting.MIN_EQUAL_LABELS,
        "versions": versions | {name: version(name) for name in ("torch", *installed)},
        "machine": platform.machine(),
        "rows": rows,
    }


def cell(rows: list[dict[str, Any]], network: str, form: str, precision: str) -> str:
    found = [row for row in rows if key_of(row) == (network, form, precision)]
    if not found:
        return "not tried"
    row = found[0]
    if "refused" in row:
        return f"no: {row['refused']}"
    size = f"{row['megabytes']:g} MB"
    if "mean_iou_int8" in row:
        drop = row["mean_iou_f32"] - row["mean_iou_int8"]
        return f"{drop:+.2f} points, {size}"
    if row["equal_labels"] is None:
        return f"converted, {size}"
    return f"{100 * row['equal_labels']:.3f} %, {size}"


def page(result: dict[str, Any]) -> str:
    """Return the table of formats x networks in Markdown."""
    kinds = [(form, p) for form, found in FORMATS.items() for p in found.precisions]
    head = " | ".join(f"{form} {precision}" for form, precision in kinds)
    lines = [
        "# Networks in the formats of boards",
        "",
        "Made by `python benchmarks/board_formats.py --page`. A percentage is the share of labels "
        "that equal torch's, in the format's own runtime (ONNX Runtime in TensorRT's place), on "
        "drawn scenes of the size in the table. A network has learned drawn scenes by its shipped "
        f"weights or by a few steps of Adam. An export is refused below "
        f"{100 * result['goals']['f32']:g} % in f32 and {100 * result['goals']['fp16']:g} % in "
        f"fp16; in int8 where mean IoU falls by more than {MAX_DROP:g} points, which the cell "
        "names. `converted` means that the converter took every operator, and that the file was "
        "not run: Core ML runs on Apple's systems alone. `not tried` was not reached. ncnn's "
        "packages hold no tool for int8, and what int8 costs in Core ML cannot be measured here. "
        "Bayesian SegNet is SegNet once its dropout is left out.",
        "",
        f"| network | learned | scenes | {head} |",
        "| --- | --- | --- |" + " ---: |" * len(kinds),
    ]
    for network in NETWORKS:
        own = [row for row in result["rows"] if row["network"] == network]
        facts = [", ".join(sorted({row[name] for row in own})) for name in ("training", "frames")]
        cells = [cell(result["rows"], network, *kind) for kind in kinds]
        lines.append(f"| {' | '.join([network, *facts, *cells])} |")
    versions = ", ".join(f"{name} {value}" for name, value in sorted(result["versions"].items()))
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", default=NETWORKS, help="only these")
    parser.add_argument("--formats", nargs="*", default=tuple(FORMATS), help="only these")
    parser.add_argument("--precisions", nargs="*", default=PRECISIONS, help="only these")
    parser.add_argument("--again", action="store_true", help="measure them anew")
    parser.add_argument("--kept", type=Path, help="where trained weights are kept between runs")
    parser.add_argument("--page", action="store_true", help="write docs/board-formats.md")
    options = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.is_file() else {"rows": [], "versions": {}}
    if options.page:
        PAGE.write_text(page(result))
        return
    rows = result["rows"]
    kinds = [
        (form, precision)
        for form in options.formats
        for precision in FORMATS[form].precisions
        if precision in options.precisions
    ]
    for name in options.networks:
        known = set() if options.again else {key_of(row) for row in rows}
        for row in rows_of(name, kinds, options.kept, known):
            rows = [other for other in rows if key_of(other) != key_of(row)] + [row]
            result = result_of(rows, result["versions"])
            RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
