"""What a training shows while it runs."""

import os
from functools import cache
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from swiftseg.core import log
from swiftseg.runs import Epoch


def is_first_process() -> bool:
    """Whether this process prints and writes, of those that torchrun has started."""
    return os.environ.get("RANK", "0") == "0"


@cache
def say_once(line: str) -> None:
    """Print a line to stderr the first time; of processes that train together the first does."""
    if is_first_process():
        log.say(line)


class TrainingProgress:
    """One bar over all steps of a run, and a line an epoch."""

    def __init__(self, total_steps: int, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not (enabled and self.console.is_terminal),
        )
        self.task: TaskID = self.bar.add_task("reading frames", total=total_steps, status="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        if self.enabled:
            log.say(line)

    def show_reading(self, count: int, total: int) -> None:
        self.bar.update(self.task, description=f"reading frames {count}/{total}")

    def show_step(self, done: int, description: str, status: str) -> None:
        self.bar.update(self.task, completed=done, description=description, status=status)

    def show_compiling(self) -> None:
        self.bar.update(self.task, description="compiling (once)")

    def show_epoch(self, epoch: Epoch, epochs: int) -> None:
        parts = [
            f"{epoch.stage} {epoch.epoch}/{epochs}",
            f"loss {epoch.loss:.4f}",
            f"lr {epoch.lr:.1e}",
            f"{epoch.images_per_second or 0.0:.1f} images/s",
            f"waited {epoch.wait_share or 0.0:.0%}",
        ]
        name = epoch.scored_on.replace("_", "-")
        if epoch.val_loss is not None:
            parts.append(f"{name} loss {epoch.val_loss:.4f}")
        if epoch.val_mean_iou is not None:
            parts.append(f"{name} mIoU {epoch.val_mean_iou:.4f}")
        self.say("  ".join(parts))
