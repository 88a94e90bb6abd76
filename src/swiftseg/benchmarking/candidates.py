"""From what a user names to what `swiftseg benchmark` measures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.benchmarking.measure import FRAME_TO_LABELS, Candidate, engine_candidate
from swiftseg.core import UsageError, needs_extra, unknown_name
from swiftseg.core.fresh_process import run_in_process
from swiftseg.core.networks import network_names
from swiftseg.inference import FoundModel, find_model
from swiftseg.inference.open_model import choose_engine
from swiftseg.runtimes import AUTO, PRECISIONS, TORCH_WAYS, read_spec
from swiftseg.weights import shipped_models

NETWORK_CLASSES = 19  # of networks with random weights: Cityscapes' classes
TRAINING_STEP = "tensor to gradients"


@dataclass(frozen=True)
class Model:
    """What a user named.

    Attributes:
        file: Its exported file.
        is_network: Whether torch can run it: a network, a checkpoint or shipped weights.
        describes: Fields of a `Measurement` that do not depend on the engine.
    """

    given: str
    file: Path
    is_network: bool
    describes: dict[str, Any]


def frame_candidates(
    models: Sequence[str],
    size_hw: tuple[int, int] | None,
    ways: Sequence[tuple[str, str]],
    threads: int,
    folder: Path,
    calibration: Path | None,
    device: str | None = None,
) -> list[Candidate]:
    """Return a candidate of every model in every way, a backend and a precision.

    Networks and checkpoints are exported to `folder`; as many streams are tried as there are
    threads. The other arguments are those of `benchmark`.

    Raises:
        UsageError: A name is unknown, or torch is asked to run an exported file.
        MissingExtraError: A network or a checkpoint is asked for, and torch is missing.
    """
    found = [
        _exported(given, size_hw, folder / f"{index}.onnx") for index, given in enumerate(models)
    ]
    return [
        _torch_candidate(model, backend, precision)
        if backend in TORCH_WAYS
        else _engine_candidate(model, backend, precision, threads, calibration, device)
        for model in found
        for backend, precision in ways
    ]


def existing_ways(
    backends: Sequence[str], precisions: Sequence[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the pairs of a backend and a precision that there are, and those that there are not.

    Raises:
        UsageError: A backend is unknown, or no backend has any of the precisions.
    """
    known = (*PRECISIONS, AUTO, *TORCH_WAYS)
    for backend in backends:
        if backend not in known:
            raise unknown_name("backend", backend, known)
    pairs = [(backend, precision) for backend in backends for precision in precisions]
    missing = [(b, p) for b, p in pairs if b in PRECISIONS and p not in (AUTO, *PRECISIONS[b])]
    if len(missing) == len(pairs):
        backend, precision = missing[0]
        raise unknown_name(f"precision of {backend}", precision, PRECISIONS[backend])
    return [pair for pair in pairs if pair not in missing], missing


def training_candidates(models: Sequence[str], size_hw: tuple[int, int] | None) -> list[Candidate]:
    """Return a candidate of every network's forward and backward pass.

    Raises:
        UsageError: A name is unknown, or an exported file's, which cannot be trained.
        MissingExtraError: torch is missing.
    """
    candidates: list[Candidate] = []
    for given in models:
        found = _found(given)
        if found is not None and found.weights is None:
            raise UsageError(f"--training takes networks and checkpoints, and {given} is exported")
        torch_side = _torch_side(given)
        arguments = {"model": given, "num_classes": NETWORK_CLASSES}
        facts = run_in_process(torch_side.describe, size_hw=size_hw, **arguments)
        describes = {**facts, "way": "torch eager", "scope": TRAINING_STEP}
        candidates.append(Candidate(torch_side.measure_training, arguments, describes))
    return candidates


def _exported(given: str, size_hw: tuple[int, int] | None, out: Path) -> Model:
    """Find an exported file, or export a network or checkpoint to `out`."""
    found = _found(given)
    if found is not None and found.exported is not None:
        spec = read_spec(found.exported)
        facts: dict[str, Any] = {
            "name": found.name,
            "weights": spec.training_data or "unknown",
            "size_hw": size_hw or spec.input.size_hw,
            "num_classes": len(spec.labels),
        }
        is_network = found.weights is not None
        return Model(
            given, found.exported, is_network, {**facts, **asdict(graph_costs(found.exported))}
        )
    facts = run_in_process(
        _torch_side(given).export,
        model=given,
        size_hw=size_hw,
        num_classes=NETWORK_CLASSES,
        output="labels",
        out=str(out),
    )
    return Model(given, out, True, {**asdict(graph_costs(out)), **facts})


def _found(given: str) -> FoundModel | None:
    """Find a model's files; None is the name of a network, which gets random weights.

    Raises:
        UsageError: It is neither.
    """
    if given in network_names():
        return None
    try:
        return find_model(given)
    except UsageError as error:
        known = {*shipped_models(), *network_names()}
        raise unknown_name("model or network", given, known) from error


def _torch_side(given: str) -> ModuleType:
    with needs_extra(f"measuring {given}, which is no exported file,", "train"):
        from swiftseg.benchmarking import torch_networks
    return torch_networks


def _engine_candidate(
    model: Model,
    backend: str,
    precision: str,
    threads: int,
    calibration: Path | None,
    device: str | None,
) -> Candidate:
    """Make the candidate of an engine; `auto` is decided before anything is measured."""
    judged_on = calibration if precision == AUTO else None
    choice = choose_engine(model.file, backend, precision, judged_on, threads)
    return engine_candidate(
        model.file,
        backend=choice.backend,
        precision=choice.precision,
        device=device,
        describes=model.describes,
        stream_counts=sorted({1, threads}),
    )


def _torch_candidate(model: Model, way: str, precision: str) -> Candidate:
    if not model.is_network:
        raise UsageError(f"torch runs networks and checkpoints, and {model.given} is exported")
    arguments = {
        "model": model.given,
        "size_hw": model.describes["size_hw"],
        "num_classes": NETWORK_CLASSES,
        "options": {**TORCH_WAYS[way], "precision": precision},
    }
    told = {"way": way, "precision": precision, "scope": FRAME_TO_LABELS}
    describes = {**model.describes, **told}
    return Candidate(_torch_side(model.given).measure_torch, arguments, describes)
