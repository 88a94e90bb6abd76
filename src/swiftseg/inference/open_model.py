"""One way to open a model, whatever kind of file holds it and whatever runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from swiftseg.core import UsageError, needs_extra, unknown_name
from swiftseg.inference.found_model import FoundModel
from swiftseg.runtimes import AUTO, ENGINES, PRECISIONS, TORCH_WAYS, load_backend, read_spec
from swiftseg.runtimes.base import Backend, Engine
from swiftseg.runtimes.board_backend import load_board
from swiftseg.runtimes.board_folder import is_board_folder
from swiftseg.runtimes.cores import check_threads

DEFAULT_BACKEND = "onnxruntime"


class Origin(NamedTuple):
    """What a model is opened from, as `Segmenter.load` takes it, here or in another process."""

    model: FoundModel
    backend: str | None
    precision: str
    threads: int | None
    device: str | None


def open_model(
    origin: Origin, calibration: Path | str | Sequence[np.ndarray] | None
) -> tuple[Backend, Origin]:
    """Load a model; return also the origin with the engine and precision that were chosen.

    Raises what `Segmenter.load` does.
    """
    found, backend, precision, threads, device = origin
    check_threads(threads)
    if is_board_folder(found.path):
        loaded = _board_backend(found.path, backend, precision, threads, device)
        return loaded, origin._replace(backend=loaded.engine.backend)
    in_torch = _runs_in_torch(found, backend, precision)
    if (precision == AUTO) != (calibration is not None):
        raise UsageError(
            "--precision auto is judged on your own frames: name a folder of them with "
            "--calibration DIR, and leave it out with any other precision"
        )
    if in_torch:
        way = backend or "torch"
        loaded = _torch_backend(found, way, precision, threads, device)
        return loaded, origin._replace(backend=way)
    backend = _engine_of_device(backend, precision, device)
    backend, precision, _ = choose_engine(found.path, backend, precision, calibration, threads)
    loaded = load_backend(
        found.path, name=backend, precision=precision, threads=threads, device=device
    )
    return loaded, origin._replace(backend=backend, precision=precision)


def _engine_of_device(backend: str | None, precision: str, device: str | None) -> str | None:
    """Return the engine that is asked for, or the first that has a device other than the CPU.

    Raises:
        UsageError: A trial is asked for, which compares engines on the CPU, or no engine has it.
    """
    if device in (None, "cpu"):
        return backend
    if AUTO in (backend, precision):
        raise UsageError(
            f"auto compares engines on the CPU; name backend and precision for --device {device}"
        )
    if backend is not None:
        return backend
    known = [name for name, engine in ENGINES.items() if device in engine.devices]
    if not known:
        devices = dict.fromkeys(place for engine in ENGINES.values() for place in engine.devices)
        raise unknown_name("device", device, devices)
    return known[0]


def _board_backend(
    folder: Path, backend: str | None, precision: str, threads: int | None, device: str | None
) -> Backend:
    """Load a folder that was exported for one runtime in one precision."""
    if device not in (None, "cpu"):
        raise UsageError(f"{folder} runs on the CPU here; leave --device {device} out")
    loaded = load_board(folder, backend=backend, threads=threads)
    if precision not in ("f32", loaded.engine.precision):  # f32 is what nobody asked for
        raise UsageError(
            f"{folder} is exported in {loaded.engine.precision}; leave --precision out, or export "
            f"the model again with --precision {precision}"
        )
    return loaded


def _runs_in_torch(found: FoundModel, backend: str | None, precision: str) -> bool:
    """Whether torch runs a model and not an engine.

    Raises:
        UsageError: What the options ask for does not run this kind of file.
    """
    if backend not in (None, AUTO, *PRECISIONS, *TORCH_WAYS):
        return False  # loading names the known ones
    if found.exported is None and backend not in (None, *TORCH_WAYS):
        raise UsageError(
            f"torch runs {found.name}, and {backend} runs exported files: leave --backend out, or "
            f"run `swiftseg export {found.path} --out model.onnx` and name that file"
        )
    if found.exported is not None and backend not in TORCH_WAYS:
        return False
    if found.weights is None:
        raise UsageError(
            f"{backend} runs checkpoints (.pt), imported weights (.safetensors) and shipped "
            f"weights; {found.name} is an exported file"
        )
    if precision == AUTO:
        raise UsageError(
            f"--precision auto is for exported files; torch runs {found.name} in f32, bf16 or fp16"
        )
    return True


def _torch_backend(
    found: FoundModel, way: str, precision: str, threads: int | None, device: str | None
) -> Backend:
    with needs_extra(f"running {found.name} in torch", "train"):
        import torch

        from swiftseg.runtimes.torch_backend import TorchBackend
        from swiftseg.trained import load_trained, torch_device
    if threads is not None:
        torch.set_num_threads(threads)
    assert found.weights is not None
    network, spec = load_trained(found.weights)
    return TorchBackend(
        network, spec, device=torch_device(device), precision=precision, **TORCH_WAYS[way]
    )


def choose_engine(
    path: Path,
    backend: str | None,
    precision: str,
    calibration: Path | str | Sequence[np.ndarray] | None,
    threads: int | None,
) -> Engine:
    """Return the engine that runs an exported file; `auto` is decided by a trial.

    The arguments are those of `Segmenter.load`; it raises what that does.
    """
    backend = backend or (AUTO if precision == AUTO else DEFAULT_BACKEND)
    if AUTO not in (backend, precision):
        return Engine(backend, precision)
    # Imported where they are needed: most models are opened without a trial.
    from swiftseg.inference.calibration_frames import calibrate_on, read_calibration
    from swiftseg.runtimes.selection import choose_backend

    frames: Sequence[np.ndarray] = ()
    if isinstance(calibration, Path | str):
        frames = read_calibration(Path(calibration), read_spec(path)).frames
    elif calibration is not None:
        frames = calibrate_on(calibration, read_spec(path)).frames
    return choose_backend(
        path, backend=backend, precision=precision, threads=threads, frames=frames
    )
