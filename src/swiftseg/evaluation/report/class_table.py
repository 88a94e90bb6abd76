"""Scores by class, as a table with bars."""

import numpy as np

from swiftseg.evaluation.evaluation import Evaluation
from swiftseg.evaluation.report.markup import Markup, join, percent, tag


def class_table(evaluation: Evaluation) -> Markup:
    """Lists IoU, accuracy, boundary IoU and the share of the pixels of each class."""
    scores, boundary = evaluation.scores, evaluation.boundary_iou
    truth = evaluation.matrix.sum(axis=1)
    shares = truth / max(int(truth.sum()), 1)
    rows = [
        tag(
            "tr",
            tag("th", swatch(evaluation, index), name, scope="row"),
            _bar_cell(scores.iou[index]),
            _bar_cell(scores.class_accuracy[index]),
            _bar_cell(boundary[index]),
            _bar_cell(shares[index]),
        )
        for index, name in enumerate(evaluation.labels.names)
    ]
    heads = ("class", "IoU", "accuracy", "boundary IoU", "share of pixels")
    head = tag("tr", *(tag("th", text, scope="col") for text in heads))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="classes")
    return tag("div", table, class_="scrolls")


def legend(evaluation: Evaluation) -> Markup:
    """Says which color is which class."""
    entries = (
        tag("span", swatch(evaluation, index), name, class_="entry")
        for index, name in enumerate(evaluation.labels.names)
    )
    return tag("p", *entries, class_="legend")


def swatch(evaluation: Evaluation, index: int) -> Markup:
    """Shows a class's color."""
    red, green, blue = evaluation.labels.palette[index]
    return tag("i", class_="swatch", style=f"background:rgb({red},{green},{blue})")


def _bar_cell(share: float) -> Markup:
    text = tag("span", percent(share), class_="value")
    if np.isnan(share):
        return tag("td", text)
    fill = tag("i", style=f"width:{100 * share:.2f}%")
    return tag("td", join(tag("span", fill, class_="bar"), text))
