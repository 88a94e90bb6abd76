"""What did the user name? From a name or a path to the files of a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from swiftseg.core import SwiftsegError, UsageError, unknown_name
from swiftseg.runtimes.board_folder import is_board_folder
from swiftseg.weights import shipped_models, shipped_weights

ModelKind = Literal["shipped", "exported", "checkpoint", "weights"]

EXPORTED_SUFFIX = ".onnx"
CHECKPOINT_SUFFIXES = (".pt", ".pth")
WEIGHTS_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class FoundModel:
    """The files of a model that a user has named.

    Attributes:
        kind: `shipped` with the package, an `exported` file, a `checkpoint` of a training, or
            `weights` that `swiftseg import` wrote.
        name: What people call it: the shipped name, or the file's.
        path: The file that is run unless the user says otherwise.
        weights: The file that torch fills a network from; None where there is only an exported one.
        card: The card of shipped weights, or None.
    """

    kind: ModelKind
    name: str
    path: Path
    weights: Path | None = None
    card: Path | None = None

    @property
    def exported(self) -> Path | None:
        """The file that engines run; None where torch must."""
        return self.path if self.kind in ("shipped", "exported") else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name or the path: shipped files may lie elsewhere on arrival."""
        return find_model, (self.name if self.kind == "shipped" else str(self.path),)


def find_model(model: Path | str) -> FoundModel:
    """Find the files of a model; nothing is opened and nothing but folders looked into.

    Args:
        model: The name of a shipped model, an exported .onnx file, a checkpoint (.pt), a
            .safetensors file of `swiftseg import`, a folder that `swiftseg export --format` wrote,
            or the folder of a training run, which stands for its model.onnx or, before there is
            one, its best.pt.

    Raises:
        UsageError: No shipped model has that name.
        SwiftsegError: It is a folder without a model, or a file of another kind.
    """
    shipped = shipped_models()
    if str(model) in shipped:
        path = shipped[str(model)]
        weights = shipped_weights().get(str(model))
        return FoundModel("shipped", str(model), path, weights, path.with_suffix(".md"))
    path = Path(model)
    if is_board_folder(path):
        return FoundModel("exported", path.name, path)
    if path.is_dir():
        path = _model_of_run(path)
    if path.suffix == EXPORTED_SUFFIX:
        return FoundModel("exported", path.name, path)
    if path.suffix in CHECKPOINT_SUFFIXES:
        return FoundModel("checkpoint", path.name, path, path)
    if path.suffix == WEIGHTS_SUFFIX:
        return FoundModel("weights", path.name, path, path)
    if path.exists():
        return FoundModel("exported", path.name, path)  # loading says what it is instead
    raise unknown_name("model", str(model), shipped)


def _model_of_run(folder: Path) -> Path:
    from swiftseg.runs import RunFolder  # imported late: it takes time

    run = RunFolder(folder)
    for path in (run.model, run.best):
        if path.is_file():
            return path
    raise SwiftsegError(
        f"{folder} holds no model: expected the folder of a training run with "
        f"{run.model.name} or {run.best.name}, or the path of a model's file"
    )


def find_weights(source: Path | str) -> Path:
    """Return the file that torch fills a network from, of shipped weights or at a path.

    Raises:
        UsageError: There are no weights of that name, no such file, or it is an exported model,
            whose layers are folded together.
    """
    weights = find_model(source).weights
    if weights is None:
        raise UsageError(
            f"{source}: expected a checkpoint (.pt) or a .safetensors file; an exported model has "
            "its layers folded together"
        )
    if not weights.is_file():
        raise UsageError(f"{weights}: no such file of weights")
    return weights
