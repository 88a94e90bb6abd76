"""What a training shows while it runs."""

from typing import Any, Self

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


class TrainingProgress:
    """One bar over all steps of a run, and a line an epoch.

    Args:
        total_steps: Optimizer steps of the whole run.
        enabled: False shows nothing, for the processes beside the first.
    """

    def __init__(self, total_steps: int, *, enabled: bool = True) -> None:
        self.console = Console(stderr=True, quiet=not enabled)
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
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def show_reading(self, count: int, total: int) -> None:
        self.bar.update(self.task, description=f"reading frames {count}/{total}")

    def show_step(self, done: int, description: str, status: str) -> None:
        self.bar.update(self.task, completed=done, description=description, status=status)

    def show_epoch(self, row: dict[str, Any], epochs: int) -> None:
        parts = [
            f"{row['stage']} {row['epoch']}/{epochs}",
            f"loss {row['loss']:.4f}",
            f"lr {row['lr']:.1e}",
            f"{row['images_per_second']:.1f} images/s",
            f"waited {row['wait_share']:.0%}",
        ]
        for kind, name in (("val", "val"), ("held_out", "held-out")):
            if f"{kind}/loss" in row:
                parts.append(f"{name} loss {row[f'{kind}/loss']:.4f}")
            if f"{kind}/mean_iou" in row:
                parts.append(f"{name} mIoU {row[f'{kind}/mean_iou']:.4f}")
        self.say("  ".join(parts))
