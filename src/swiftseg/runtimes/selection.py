"""`auto`: the fastest of installed engines and allowed precisions, tried once and remembered."""

import hashlib
import json
import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.core.cache import cache_folder
from swiftseg.core.files import reading, write_file
from swiftseg.core.versions import installed_version
from swiftseg.runtimes import AUTO, BACKENDS, PRECISIONS
from swiftseg.runtimes.base import Engine, equal_labels
from swiftseg.runtimes.cores import check_threads, physical_cores, processor_facts
from swiftseg.runtimes.trial import Trial, compare_ms

# What tells processors apart, as x86 and ARM call it.
PROCESSOR_NAMES = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("CPU implementer", "CPU part", "CPU variant", "Features"),
)

# What `--precision auto` may change of the labels of the calibration frames against float32.
MOST_CHANGED_LABELS = 0.005


def choose_backend(
    path: Path,
    *,
    backend: str = "onnxruntime",
    precision: str = "f32",
    threads: int | None = None,
    frames: Sequence[np.ndarray] = (),
) -> Engine:
    """Resolve `auto` of either kind; anything else is taken as it is.

    The fastest on this machine is taken, timed in processes of their own, and remembered in the
    user's cache folder for this file, machine, number of threads and versions of the engines.

    Args:
        path: The exported file.
        backend: An engine's name, or `auto` for any that is installed.
        precision: Its precision, or `auto` for any that keeps 99.5 % of float32's labels.
        threads: As `load_backend` takes them.
        frames: uint8 (*size_hw, 3), RGB, what `precision="auto"` is judged on.

    Raises:
        UsageError: `precision` is `auto` and there are no frames.
        SwiftsegError: The file cannot be run.
    """
    if AUTO not in (backend, precision):
        return Engine(backend, precision)
    check_threads(threads)
    if precision == AUTO and not frames:
        raise UsageError(
            "--precision auto compares labels with those of f32 on your own frames; "
            "name a folder of them with --calibration DIR"
        )
    trials = _trials(path, backend, precision, threads)
    if len(trials) == 1:
        return Engine(trials[0].backend, trials[0].precision)
    key = _key(path, trials, frames)
    remembered = _read_memory()
    if key not in remembered:
        chosen = _fastest(path, trials, frames)
        remembered[key] = [chosen.backend, chosen.precision]
        memory = memory_file()
        if memory is not None:
            with suppress(SwiftsegError):  # of a read-only folder: the next one tries again
                write_file(memory, json.dumps(remembered, indent=1))
    return Engine(*remembered[key])


def memory_file() -> Path | None:
    """Return where choices are remembered; None where nothing can be kept."""
    folder = cache_folder()
    return folder / "backends.json" if folder else None


def changed_labels(path: Path, trial: Trial, frames: Sequence[np.ndarray]) -> float:
    """Return the share, 0..1, of the frames' labels that differ from ONNX Runtime's in float32."""
    reference, other = Trial(str(path), threads=trial.threads).load(), trial.load()
    return 1 - equal_labels(reference, other, frames)


def _trials(path: Path, backend: str, precision: str, threads: int | None) -> list[Trial]:
    names = [name for name in BACKENDS if find_spec(name)] if backend == AUTO else [backend]
    found = [
        Trial(str(path), name, known, threads)
        for name in names
        for known in PRECISIONS.get(name, ())
        if precision in (AUTO, known)
    ]
    # A wrong name, or a precision that none of them has: loading tells what there is.
    return found or [Trial(str(path), names[0], precision, threads)]


def _fastest(path: Path, trials: Sequence[Trial], frames: Sequence[np.ndarray]) -> Trial:
    """Return the fastest of the trials that keep the labels of the frames."""
    kept = [
        trial
        for trial in trials
        if trial.precision == "f32" or changed_labels(path, trial, frames) <= MOST_CHANGED_LABELS
    ]
    times_ms = compare_ms(kept) if len(kept) > 1 else [0.0]
    return kept[times_ms.index(min(times_ms))]


def _key(path: Path, trials: Sequence[Trial], frames: Sequence[np.ndarray]) -> str:
    """Make one name of everything that the answer depends on."""
    with reading(path):
        model = hashlib.sha256(path.read_bytes()).hexdigest()
    seen = hashlib.sha256()
    for frame in frames:
        seen.update(frame.tobytes())
    tried = [
        f"{c.backend} {installed_version(c.backend)} {c.precision} {c.threads or physical_cores()}"
        for c in trials
    ]
    processor = processor_facts()
    names = [f"{name} {processor.get(name)}" for name in PROCESSOR_NAMES]
    facts = [model, *names, platform.machine(), platform.processor(), seen.hexdigest(), *tried]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _read_memory() -> dict[str, list[str]]:
    """Read what was remembered; a damaged file is no worse than none, and is written anew."""
    path = memory_file()
    if path is None:
        return {}
    try:
        memory = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): [str(name), str(kind)] for key, (name, kind) in memory.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
