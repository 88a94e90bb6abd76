"""From what a user names to what `swiftseg benchmark` measures."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from swiftseg.benchmark import run_in_process
from swiftseg.benchmark.graph_costs import graph_costs
from swiftseg.benchmark.measure import FRAME_TO_LABELS, Candidate, engine_candidate
from swiftseg.cli.models import NETWORK_TABLE
from swiftseg.core import MissingExtraError, UsageError, unknown_name
from swiftseg.inference.calibration_frames import read_calibration
from swiftseg.inference.model_path import CHECKPOINT_SUFFIXES, model_path
from swiftseg.runtimes import PRECISIONS, TORCH_WAYS, read_spec
from swiftseg.runtimes.selection import AUTO, choose_backend
from swiftseg.weights import shipped_models, shipped_weights

NETWORK_CLASSES = 19  # of networks with random weights: Cityscapes' classes
TRAINING_STEP = "tensor to gradients"


@dataclass(frozen=True)
class Model:
    """What a user named.

    Attributes:
        given: As it was named.
        file: Its exported file.
        runs_in_torch: It is no exported file alone.
        describes: Fields of a `Measurement` that do not depend on the engine.
    """

    given: str
    file: Path
    runs_in_torch: bool
    describes: dict[str, Any]


def frame_candidates(
    models: Sequence[str],
    size_hw: tuple[int, int] | None,
    ways: Sequence[tuple[str, str]],
    threads: int,
    folder: Path,
    calibration: Path | None,
) -> list[Candidate]:
    """Makes a candidate of every model in every way.

    Args:
        models: As the user names them.
        size_hw: The frames' size, or None for each model's own.
        ways: Backends and precisions.
        threads: Threads for one frame; as many streams are tried.
        folder: Where networks and checkpoints are exported to.
        calibration: The images that the precision `auto` is judged on.

    Raises:
        UsageError: A name is unknown, or torch is asked to run an exported file.
        MissingExtraError: A network or a checkpoint is asked for, and torch is missing.
    """
    known = (*PRECISIONS, AUTO, *TORCH_WAYS)
    for backend, _ in ways:
        if backend not in known:
            raise unknown_name("backend", backend, known)
    found = [
        find_model(given, size_hw, folder / f"{index}.onnx") for index, given in enumerate(models)
    ]
    return [
        _torch_candidate(model, backend, precision)
        if backend in TORCH_WAYS
        else _engine_candidate(model, backend, precision, threads, calibration)
        for model in found
        for backend, precision in ways
    ]


def training_candidates(models: Sequence[str], size_hw: tuple[int, int] | None) -> list[Candidate]:
    """Makes a candidate of every network's forward and backward pass.

    Raises:
        UsageError: A name is unknown, or an exported file's, which cannot be trained.
        MissingExtraError: torch is missing.
    """
    candidates: list[Candidate] = []
    for given in models:
        if not _is_network(given) and given not in shipped_weights():
            raise UsageError(f"--training takes networks and checkpoints, and {given} is exported")
        torch_side = _torch_side(given)
        arguments = {"model": given, "num_classes": NETWORK_CLASSES}
        facts = run_in_process(torch_side.describe, size_hw=size_hw, **arguments)
        describes = {**facts, "way": "torch eager", "scope": TRAINING_STEP}
        candidates.append(Candidate(torch_side.measure_training, arguments, describes))
    return candidates


def find_model(given: str, size_hw: tuple[int, int] | None, out: Path) -> Model:
    """Finds an exported file, or exports a network or checkpoint to `out`."""
    if not _is_network(given):
        file = model_path(given)
        spec = read_spec(file)
        facts: dict[str, Any] = {
            "name": given if given in shipped_models() else file.name,
            "weights": spec.training_data or "unknown",
            "size_hw": size_hw or spec.input.size_hw,
            "num_classes": len(spec.labels),
        }
        return Model(given, file, given in shipped_weights(), {**facts, **_costs(file)})
    facts = run_in_process(
        _torch_side(given).export,
        model=given,
        size_hw=size_hw,
        num_classes=NETWORK_CLASSES,
        output="labels",
        out=str(out),
    )
    return Model(given, out, True, {**_costs(out), **facts})


def _is_network(given: str) -> bool:
    """Tells networks and checkpoints from exported files.

    Raises:
        UsageError: It is neither.
    """
    if Path(given).suffix in CHECKPOINT_SUFFIXES or given in _network_names():
        return True
    if given in shipped_models() or Path(given).suffix == ".onnx" or Path(given).exists():
        return False
    raise unknown_name("model or network", given, {*shipped_models(), *_network_names()})


def _network_names() -> set[str]:
    """Reads the names that `create_model` knows, which torch need not be imported for."""
    return {row["name"] for row in json.loads(NETWORK_TABLE.read_text("utf-8"))}


def _costs(file: Path) -> dict[str, Any]:
    costs = graph_costs(file)
    return {
        "parameters": costs.parameters,
        "gmacs": costs.gmacs,
        "file_bytes": costs.file_bytes,
    }


def _torch_side(given: str) -> ModuleType:
    try:
        from swiftseg.benchmark import torch_networks as benchmark_networks
    except ImportError as error:
        raise MissingExtraError(
            f"measuring {given}, which is no exported file,", "train"
        ) from error
    return benchmark_networks


def _engine_candidate(
    model: Model, backend: str, precision: str, threads: int, calibration: Path | None
) -> Candidate:
    """Makes the candidate of an engine; `auto` is decided before anything is measured."""
    frames: Sequence[np.ndarray] = ()
    if precision == AUTO and calibration is not None:
        spec = read_spec(model.file)
        frames = read_calibration(calibration, spec.input.size_hw, spec.labels).frames
    choice = choose_backend(
        model.file, backend=backend, precision=precision, threads=threads, frames=frames
    )
    return engine_candidate(
        model.file,
        backend=choice.backend,
        precision=choice.precision,
        describes=model.describes,
        stream_counts=sorted({1, threads}),
    )


def _torch_candidate(model: Model, way: str, precision: str) -> Candidate:
    if not model.runs_in_torch:
        raise UsageError(f"torch runs networks and checkpoints, and {model.given} is exported")
    arguments = {
        "model": model.given,
        "size_hw": None if model.given in shipped_weights() else model.describes["size_hw"],
        "num_classes": NETWORK_CLASSES,
        "options": {**TORCH_WAYS[way], "precision": precision},
    }
    told = {"way": way, "precision": precision, "scope": FRAME_TO_LABELS}
    describes = {**model.describes, **told}
    return Candidate(_torch_side(model.given).measure_torch, arguments, describes)
