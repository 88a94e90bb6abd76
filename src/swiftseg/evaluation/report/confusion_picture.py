"""The confusion matrix as a picture: each row the classes' true pixels, shared out in percent."""

import numpy as np
from markupsafe import Markup

from swiftseg.core.templates import render

MAX_NAME = 26
SHOWN_SHARE = 0.0005  # what would read 0.0 % stays empty: most of 66 x 66 cells
NUMBERED_CLASSES = 24  # up to here a cell is large enough for its number


def confusion_picture(matrix: np.ndarray, names: tuple[str, ...]) -> Markup:
    """Return the row-normalized matrix; pointing at a cell tells its classes and share.

    Args:
        matrix: int64 (C, C), rows true, columns predicted.
        names: The classes.
    """
    shown = [_shortened(name) for name in names]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # A wrong cell is drawn stronger than its share, so that 5 % can be seen at all.
    strengths = np.maximum(np.where(np.eye(len(names)), shares, shares**0.6), 0.05)
    return render(
        "evaluation/report/confusion.svg",
        names=names,
        shown=shown,
        cells=[(*at, shares[*at], strengths[*at]) for at in np.argwhere(shares >= SHOWN_SHARE)],
        cell=34 if len(names) <= NUMBERED_CLASSES else 14,
        margin=round(24 + 6.4 * max(map(len, shown))),
    )


def _shortened(name: str) -> str:
    """Return the end of a long name: it tells Mapillary's `construction--barrier--...` apart."""
    return name if len(name) <= MAX_NAME else f"…{name[1 - MAX_NAME :]}"
