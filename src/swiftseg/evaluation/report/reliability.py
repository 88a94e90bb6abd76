"""The reliability diagram: how often pixels of a confidence are right."""

import numpy as np
from markupsafe import Markup

from swiftseg.evaluation.report.charts import Bar, ChartFrame, Curve, line_chart
from swiftseg.metrics.calibration import NUM_BINS


def reliability_diagram(counts: np.ndarray) -> Markup:
    """Return accuracy over confidence, and beneath it how many pixels each bin holds."""
    pixels, confidence, right = counts
    held = np.flatnonzero(pixels)
    shares = pixels / max(pixels.sum(), 1)
    lines = [
        Curve("if calibrated", "ideal", [(0.0, 0.0), (1.0, 1.0)]),
        Curve(
            "accuracy", "first", [(confidence[b] / pixels[b], right[b] / pixels[b]) for b in held]
        ),
    ]
    return line_chart(
        "right pixels by confidence",
        lines,
        x_name="confidence",
        frame=ChartFrame(0.0, 1.0, 0.0, 1.0),
        bars=[Bar(b / NUM_BINS, (b + 1) / NUM_BINS, shares[b]) for b in held],
    )
