"""The epochs of a training: one typed row each, kept in the metrics.csv of its run."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swiftseg.core import SwiftsegError
from swiftseg.core.files import replacing
from swiftseg.recipes.recipe import Best

ScoredOn = Literal["val", "held_out"]
SCORES = ("mean_iou", "mean_class_accuracy", "global_accuracy", "loss")


@dataclass(frozen=True)
class Epoch:
    """One epoch; what was not measured in it is None.

    Attributes:
        stage: The stage's name.
        loss: Mean over the epoch's steps.
        lr: The learning rate at its end.
        val_mean_iou: In 0..1, on what `scored_on` says.
        val_loss: For runs that choose their best weights by it.
        epoch: Its number within the stage, from 1.
        val_mean_class_accuracy: In 0..1.
        val_global_accuracy: In 0..1.
        images_per_second: Of the training steps.
        wait_share: The share of the time that the steps waited for frames, in 0..1.
        scored_on: The validation split, or the frames that `--hold-out` keeps from the training.
    """

    stage: str
    loss: float
    lr: float
    val_mean_iou: float | None = None
    val_loss: float | None = None
    epoch: int = 1
    val_mean_class_accuracy: float | None = None
    val_global_accuracy: float | None = None
    images_per_second: float | None = None
    wait_share: float | None = None
    scored_on: ScoredOn = "val"

    def scores(self) -> dict[str, float]:
        """Return what was measured and is finite, by column, such as `val/mean_iou`."""
        named = {f"{self.scored_on}/{name}": getattr(self, f"val_{name}") for name in SCORES}
        return {
            name: value
            for name, value in named.items()
            if value is not None and math.isfinite(value)
        }

    def to_row(self) -> dict[str, str | int | float]:
        """Return the columns of metrics.csv that this epoch fills."""
        speed = {"images_per_second": self.images_per_second, "wait_share": self.wait_share}
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "loss": self.loss,
            "lr": self.lr,
            **{name: value for name, value in speed.items() if value is not None},
            **self.scores(),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> "Epoch":
        """Read what `to_row` returned, or its text from a file.

        Raises:
            ValueError: There is no stage, loss or learning rate, or a value is no number.
        """
        scored_on: ScoredOn = "held_out" if _number(row, "held_out/mean_iou") is not None else "val"
        stage, loss, lr = row.get("stage"), _number(row, "loss"), _number(row, "lr")
        if not isinstance(stage, str) or loss is None or lr is None:
            raise ValueError("a row has no stage, loss or learning rate")
        return cls(
            stage=stage,
            loss=loss,
            lr=lr,
            epoch=int(str(row.get("epoch", 1))),
            images_per_second=_number(row, "images_per_second"),
            wait_share=_number(row, "wait_share"),
            scored_on=scored_on,
            **{f"val_{name}": _number(row, f"{scored_on}/{name}") for name in SCORES},
        )


def _number(row: Mapping[str, object], column: str) -> float | None:
    """Return a number of a row; None where it is missing or not finite."""
    text = row.get(column)
    if text is None or text == "":
        return None
    value = float(str(text))
    return value if math.isfinite(value) else None


def read_epochs(path: Path) -> list[Epoch]:
    """Read all epochs of all stages, in their order.

    Raises:
        SwiftsegError: There is no such file, or no training wrote it.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            epochs = [Epoch.from_row(row) for row in csv.DictReader(file)]
        if not epochs:
            raise ValueError("it has no rows")
        return epochs
    except FileNotFoundError as error:
        raise SwiftsegError(f"{path}: no such file, for the training's curves") from error
    except (OSError, ValueError, csv.Error) as error:
        raise SwiftsegError(
            f"{path}: expected the stage, loss and lr that swiftseg train writes ({error})"
        ) from error


def write_epochs(path: Path, epochs: Iterable[Epoch]) -> None:
    """Write all epochs so far."""
    rows = [epoch.to_row() for epoch in epochs]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def score_of(epoch: Epoch, best: Best) -> float | None:
    """Return what the best weights are chosen by, the higher the better; None without a score."""
    mean_iou, loss = (math.nan if x is None else x for x in (epoch.val_mean_iou, epoch.val_loss))
    score = mean_iou if best == "mean_iou" else -loss
    return score if math.isfinite(mean_iou) and math.isfinite(score) else None


def best_epoch(epochs: Iterable[Epoch], best: Best) -> Epoch | None:
    """Return the epoch of a stage whose weights a run keeps: the first with the best score."""
    scored = [epoch for epoch in epochs if score_of(epoch, best) is not None]
    return max(scored, key=lambda epoch: score_of(epoch, best) or 0.0, default=None)


def validations_since_best(epochs: Sequence[Epoch], best: Best) -> int:
    """Return how many validations of a stage came after its best one, for early stopping."""
    found = best_epoch(epochs, best)
    after = epochs[epochs.index(found) + 1 :] if found else epochs
    return sum(epoch.val_mean_iou is not None for epoch in after)
