"""The epochs of a training, read from the metrics.csv of its run."""

import csv
import math
from pathlib import Path
from typing import NamedTuple

from swiftseg.core import SwiftsegError

FILE_NAME = "metrics.csv"


class Epoch(NamedTuple):
    """One row; what was not taken in this epoch is None.

    Attributes:
        stage: Its name.
        loss: Mean over the epoch's steps.
        lr: The learning rate at its end.
        val_mean_iou: In 0..1, on val or on the frames held out.
        val_loss: For runs that choose their best weights by it.
    """

    stage: str
    loss: float
    lr: float
    val_mean_iou: float | None
    val_loss: float | None


def read_epochs(path: Path) -> list[Epoch]:
    """Reads all epochs of all stages, in their order.

    Raises:
        SwiftsegError: There is no such file, or it is none that a training wrote.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [_epoch(row) for row in rows]
    except FileNotFoundError as error:
        raise SwiftsegError(f"{path}: no such file, for the training's curves") from error
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise SwiftsegError(
            f"{path}: expected the stage, loss and lr that swiftseg train writes ({error})"
        ) from error


def _epoch(row: dict[str, str]) -> Epoch:
    loss, lr = _number(row["loss"]), _number(row["lr"])
    if loss is None or lr is None:
        raise ValueError("a row has no loss or learning rate")
    return Epoch(row["stage"], loss, lr, _score(row, "mean_iou"), _score(row, "loss"))


def _score(row: dict[str, str], name: str) -> float | None:
    """Finds a score of val, or of the frames that `--hold-out` has kept from the training."""
    return _number(row.get(f"val/{name}") or row.get(f"held_out/{name}"))


def _number(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text)
    return value if math.isfinite(value) else None
