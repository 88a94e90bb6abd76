"""The reliability diagram: how often pixels of a confidence are right."""

import numpy as np

from swiftseg.evaluation.report.charts import Frame, Line, line_chart
from swiftseg.evaluation.report.markup import Markup, join, tag
from swiftseg.metrics.calibration import NUM_BINS

_UNIT = Frame(0.0, 1.0, 0.0, 1.0)


def reliability_diagram(counts: np.ndarray) -> Markup:
    """Draws accuracy over confidence, and beneath it how many pixels each bin holds.

    Args:
        counts: float64 (3, NUM_BINS), summed `calibration_counts`.
    """
    pixels, confidence, right = counts
    held = np.flatnonzero(pixels)
    points = [(confidence[b] / pixels[b], right[b] / pixels[b]) for b in held]
    shares = pixels / max(pixels.sum(), 1)
    bars = join(*(_bar(int(b), float(shares[b])) for b in held))
    lines = [
        Line("if calibrated", "ideal", [(0.0, 0.0), (1.0, 1.0)]),
        Line("accuracy", "first", points),
    ]
    title = "right pixels by confidence"
    return line_chart(title, lines, x_name="confidence", frame=_UNIT, before=bars)


def _bar(index: int, share: float) -> Markup:
    left, top = _UNIT.at(index / NUM_BINS, share)
    right, bottom = _UNIT.at((index + 1) / NUM_BINS, 0.0)
    told = tag("title", f"{share:.1%} of the pixels")
    return tag(
        "rect",
        told,
        x=left + 1,
        y=top,
        width=right - left - 2,
        height=bottom - top,
        class_="share",
    )
