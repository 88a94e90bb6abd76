"""An exported model as a static folder: a page that segments in the browser."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import onnxruntime as ort

from swiftseg.core import ModelSpec, SwiftsegError
from swiftseg.core.files import replacing_folder
from swiftseg.exporting.plan_file import Plan
from swiftseg.exporting.web_plan import make_plan
from swiftseg.runtimes.base import INPUT_NAME
from swiftseg.runtimes.graph_promises import read_checked
from swiftseg.runtimes.label_head import LabelHead, cut_label_head
from swiftseg.web import built_page

MANIFEST = "manifest.json"


def export_web(model: Path, folder: Path) -> None:
    """Write a folder that any static host can serve: the page, the model and its runtime.

    The model's graph ends before its last upsampling, which the page does itself.

    Args:
        model: An .onnx file that swiftseg has exported.
        folder: Is made, and must not exist or be empty.

    Raises:
        SwiftsegError: The folder holds files, the package was built without its page, or the
            model gives probabilities or takes other pictures than 8-bit RGB.
    """
    spec = read_checked(model)
    page = built_page()
    if page is None:
        raise SwiftsegError(
            "this swiftseg was built without its page, since node and npm were missing; install "
            "node 20 or newer, then swiftseg again from its sources"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SwiftsegError(f"{folder} exists and is not an empty folder; choose another --out")
    head = cut_label_head(model) if spec.output == "labels" else None
    graph = head.model if head else model.read_bytes()
    plan = make_plan(graph, INPUT_NAME, head.scores) if head else None
    with replacing_folder(folder) as made:
        shutil.copytree(page, made, dirs_exist_ok=True)
        _unpack(made)
        file = _write_hashed(made, spec.name, "onnx", graph)
        manifest = web_manifest(spec, head, file)
        if plan is not None:
            planned = _write_hashed(made, spec.name, "plan", plan.content)
            manifest["plan"] = _plan_manifest(plan, planned)
        _write_json(made / MANIFEST, manifest)
        _write_json(made / "page.json", {"engine": "browser", "manifest": MANIFEST})
        _check_runs(made / file, spec, head)


def web_manifest(spec: ModelSpec, head: LabelHead | None, file: str) -> dict[str, Any]:
    """Return what the page has to know of a model."""
    if spec.output == "probs":
        raise SwiftsegError(
            f"{spec.name} gives probabilities; export it again with --output labels for the web"
        )
    if not spec.input.is_rgb:
        raise SwiftsegError(
            f"{spec.name}: browsers give 8-bit RGB, and this model {spec.input.described}; label "
            "files with swiftseg predict"
        )
    return {
        "name": spec.name,
        "classes": [
            {"name": name, "color": list(color)}
            for name, color in zip(spec.labels.names, spec.labels.palette, strict=True)
        ],
        "file": file,
        "input": INPUT_NAME,  # uint8 (1, H, W, 3) RGB; the graph normalizes them itself
        "size_hw": list(spec.input.size_hw),
        "output": head.scores if head else spec.output,
        "labels": head is None and spec.output == "labels",
        "align_corners": head.align_corners if head else None,
        "plan": None,
        "note": spec.training_data,
    }


def _plan_manifest(plan: Plan, file: str) -> dict[str, Any]:
    """Return what the page has to know of a plan."""
    return {
        "file": file,
        "memory": plan.memory,
        "frame": plan.frame,
        "scores": plan.scores,
        "shape": list(plan.shape),
    }


def _write_hashed(folder: Path, name: str, suffix: str, content: bytes) -> str:
    """Write a file with its content's hash in its name, which browsers keep; return the name."""
    file = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
    (folder / file).write_bytes(content)
    return file


def _unpack(folder: Path) -> None:
    """Replace gzip files by what they hold; static hosts do not unpack for browsers."""
    for packed in sorted(folder.rglob("*.gz")):
        with gzip.open(packed) as source, packed.with_suffix("").open("wb") as target:
            shutil.copyfileobj(source, target)
        packed.unlink()


def _check_runs(graph: Path, spec: ModelSpec, head: LabelHead | None) -> None:
    """Load the graph once, so that no folder is written whose page cannot."""
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors; it warns of what the cut has left without use
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    expected = head.scores if head else spec.output
    if expected not in names:
        raise SwiftsegError(f"{graph.name}: expected the output {expected}, got {', '.join(names)}")


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
