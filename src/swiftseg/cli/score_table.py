"""Scores as tables on the terminal, in percent."""

from collections.abc import Sequence

from rich.table import Table

from swiftseg.cli.plain_output import new_table
from swiftseg.evaluation import Evaluation
from swiftseg.metrics import Interval, mean_of_defined

_INTERVAL_NOTE = "brackets: 95 % interval of mIoU, bootstrap over frames"


def score_table(evaluation: Evaluation, title: str) -> Table:
    """List IoU, boundary IoU and accuracy by class, then what sums them up."""
    scores, boundary = evaluation.scores, evaluation.boundary_iou
    table = _table(title, evaluation, "class", "IoU %", "boundary IoU %", "accuracy %")
    names = evaluation.labels.names
    for name, *values in zip(names, scores.iou, boundary, scores.class_accuracy, strict=True):
        table.add_row(name, *(percent(value) for value in values))
    table.add_section()
    mean_boundary, mean_accuracy = mean_of_defined(boundary), scores.mean_class_accuracy
    table.add_row("mean", mean_iou(evaluation), percent(mean_boundary), percent(mean_accuracy))
    table.add_row("all pixels", "", "", percent(scores.global_accuracy))
    table.add_row("frequency-weighted", percent(evaluation.frequency_weighted_iou))
    for name, value in benchmark_rows(evaluation):
        table.add_row(name, percent(value))
    return table


def benchmark_rows(evaluation: Evaluation) -> list[tuple[str, float]]:
    """Return the scores that only some data or options have."""
    rows: list[tuple[str, float]] = []
    if evaluation.cityscapes is not None:
        for part in ("category_iou", "class_iiou", "category_iiou"):
            mean = evaluation.cityscapes.get(f"mean_{part}")
            name = part.replace("_iou", " IoU").replace("_iiou", " iIoU")
            rows += [(name, mean)] if mean is not None else []
    if evaluation.calibration_error is not None:
        rows.append(("calibration error", evaluation.calibration_error))
    return rows


def comparison_table(scored: Sequence[tuple[str, Evaluation]], title: str) -> Table:
    """Put models side by side, each with the name it was called by.

    Raises:
        ValueError: Their protocols or frames differ: such numbers are not to be compared.
    """
    first = scored[0][1]
    for _, evaluation in scored:
        if (evaluation.protocol, evaluation.frames) != (first.protocol, first.frames):
            raise ValueError(f"protocols differ: {first.protocol} and {evaluation.protocol}")
    numbers = ("mIoU %", "boundary mIoU %", "class average %", "all pixels %")
    table = _table(title, first, "model", *numbers)
    for model, evaluation in scored:
        scores = evaluation.scores
        table.add_row(
            model,
            mean_iou(evaluation),
            percent(mean_of_defined(evaluation.boundary_iou)),
            percent(scores.mean_class_accuracy),
            percent(scores.global_accuracy),
        )
    return table


def _table(title: str, evaluation: Evaluation, name: str, *numbers: str) -> Table:
    return new_table(
        name,
        *numbers,
        numbers=numbers,
        title=f"{title}, {evaluation.frames} frames\nprotocol {evaluation.protocol}",
        caption=_INTERVAL_NOTE if evaluation.mean_iou_interval else None,
    )


def mean_iou(evaluation: Evaluation) -> str:
    """Write mean IoU with its interval: 54.1 [52.3, 55.8]."""
    interval: Interval | None = evaluation.mean_iou_interval
    if interval is None:
        return percent(evaluation.scores.mean_iou)
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * evaluation.scores.mean_iou:.1f} [{low:.1f}, {high:.1f}]"


def percent(share: float) -> str:
    """Write a share as percent; what is undefined as a dash."""
    return "-" if share != share else f"{100 * share:.2f}"
