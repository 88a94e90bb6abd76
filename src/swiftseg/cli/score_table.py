"""Scores as a table on the terminal."""

from rich.table import Table

from swiftseg.evaluation import Evaluation


def score_table(evaluation: Evaluation, title: str) -> Table:
    """Lists IoU and accuracy by class, then their means, in percent."""
    scores = evaluation.scores
    table = Table(title=f"{title}, {evaluation.frames} frames", title_justify="left")
    table.add_column("class")
    table.add_column("IoU %", justify="right")
    table.add_column("accuracy %", justify="right")
    rows = zip(evaluation.labels.names, scores.iou, scores.class_accuracy, strict=True)
    for name, iou, accuracy in rows:
        table.add_row(name, percent(iou), percent(accuracy))
    table.add_section()
    table.add_row("mean", percent(scores.mean_iou), percent(scores.mean_class_accuracy))
    table.add_row("all pixels", "", percent(scores.global_accuracy))
    return table


def percent(share: float) -> str:
    """Writes a share as percent; what is undefined as a dash."""
    return "-" if share != share else f"{100 * share:.2f}"
