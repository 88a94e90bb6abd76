"""Torch in the place of an engine: for checkpoints, and for shipped weights where asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from swiftseg.core import MissingExtraError, ModelSpec, UsageError

if TYPE_CHECKING:
    from swiftseg.evaluation.protocol import BackendAt


def runs_in_torch(
    model: str, backend: str | None, precision: str, calibration: Path | None
) -> bool:
    """Tells whether torch runs a model and not an engine.

    Args:
        model: As the user names it.
        backend: The option `--backend`, or None.
        precision: The option `--precision`.
        calibration: The frames that `--precision auto` is judged on, or None.

    Raises:
        UsageError: They do not go together.
    """
    from swiftseg.inference.model_path import CHECKPOINT_SUFFIXES
    from swiftseg.runtimes import TORCH_WAYS
    from swiftseg.weights import shipped_weights

    is_checkpoint = Path(model).suffix in CHECKPOINT_SUFFIXES
    if is_checkpoint and backend not in (None, *TORCH_WAYS):
        raise UsageError(
            f"torch runs checkpoints, and {backend} exported files: leave --backend out, or run "
            f"`swiftseg export {model} --out model.onnx` and name that"
        )
    if not is_checkpoint and backend not in TORCH_WAYS:
        return False
    if not is_checkpoint and model not in shipped_weights():
        raise UsageError(
            f"{backend} runs checkpoints (.pt) and shipped weights "
            f"({', '.join(shipped_weights())}), not {model}"
        )
    if precision == "auto" or calibration is not None:
        raise UsageError(
            "--precision auto, and the frames it is judged on, are for exported files; torch runs "
            f"{model} in f32, bf16 or fp16"
        )
    return True


def load_in_torch(
    model: str, backend: str | None, precision: str, threads: int | None = None
) -> tuple[ModelSpec, "BackendAt"]:
    """Loads a model that `runs_in_torch`, on the machine's accelerator where it has one.

    Args:
        model: A checkpoint, or the name of shipped weights.
        backend: One of `TORCH_WAYS`, or None for the plain one.
        precision: One of `swiftseg.runtimes.torch_backend.PRECISIONS`.
        threads: Of the CPU, for one frame; None leaves them to torch.

    Returns:
        What describes the model, and what runs it at a size.

    Raises:
        UsageError: `threads` is below 1 or above the CPUs.
        MissingExtraError: torch is not installed.
        SwiftsegError: The checkpoint is missing or damaged.
    """
    from swiftseg.runtimes.cores import check_threads
    from swiftseg.weights import shipped_weights

    check_threads(threads)
    try:
        import torch

        from swiftseg.trained import best_device, load_trained
        from swiftseg.training.scoring import backend_at_any_size
    except ImportError as error:
        raise MissingExtraError(f"running {model} in torch", "train") from error
    if threads is not None:
        torch.set_num_threads(threads)
    network, spec = load_trained(Path(shipped_weights().get(model, model)))
    way = backend or "torch"
    return spec, backend_at_any_size(network, spec, best_device(), precision=precision, way=way)
