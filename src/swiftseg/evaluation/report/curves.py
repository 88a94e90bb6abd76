"""The curves of a training: loss, mean IoU on val and learning rate over all stages."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from markupsafe import Markup

from swiftseg.evaluation.report.charts import Curve, Mark, Point, line_chart
from swiftseg.runs.history import Epoch


def training_curves(epochs: Sequence[Epoch]) -> Markup:
    """Return the charts; the epochs of later stages follow those of earlier ones."""
    begins = [
        Mark(number, after.stage)
        for number, (before, after) in enumerate(pairwise(epochs), 2)
        if before.stage != after.stage
    ]
    marks = [Mark(1, epochs[0].stage), *begins] if begins else []  # none for a single stage
    losses = [Curve("training", "first", _points(epochs, lambda epoch: epoch.loss))]
    val_losses = _points(epochs, lambda epoch: epoch.val_loss)
    if val_losses:
        losses.append(Curve("val", "second", val_losses))
    charts = [line_chart("loss", losses, x_name="epoch", marks=marks)]
    scored = _points(epochs, lambda e: None if e.val_mean_iou is None else 100 * e.val_mean_iou)
    if scored:
        line = Curve("mean IoU", "first", scored)
        charts.append(line_chart("mean IoU on val, %", [line], x_name="epoch", marks=marks))
    rate = Curve("learning rate", "first", _points(epochs, lambda epoch: epoch.lr))
    charts.append(line_chart("learning rate", [rate], x_name="epoch", marks=marks))
    return Markup('<div class="charts">{}</div>').format(Markup("\n").join(charts))


def _points(epochs: Sequence[Epoch], value_of: Callable[[Epoch], float | None]) -> list[Point]:
    values = ((number, value_of(epoch)) for number, epoch in enumerate(epochs, 1))
    return [(number, value) for number, value in values if value is not None]
